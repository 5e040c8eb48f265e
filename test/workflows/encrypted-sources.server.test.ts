import { fork, type ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunHandle } from '../../client/run-handle.ts';
import { readableHistory } from '../../client/readable-history.ts';
import { defineModel, type ModelSpec } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';
import { compiled } from '../../workers/compiled.ts';
import { openHistories } from '../../workers/histories.ts';
import type { WorkerProcessOptions } from '../../workers/worker-process.ts';
import { ageKeys, type AgeKeys, encrypted, pseudonymKey } from '../data/encrypted.ts';
import { searchFor } from '../support/canaries.ts';
import { startSystem, type TestSystem } from './harness.ts';

/** Each is part of many values, in the clear nowhere but in files that are encrypted. */
const [person, street] = [`canary-${randomBytes(12).toString('hex')}`, `street-${randomBytes(12).toString('hex')}`];
const key = pseudonymKey();
const pseudonymOf = (id: string): string => createHmac('sha256', Buffer.from(key, 'base64')).update(id).digest('hex').slice(0, 32);

/** Stays of 800 patients, three each: the longer, the likelier they come back. */
function stays(): { readonly people: string; readonly stays: string } {
  const draw = random('stays');
  const patients = Array.from({ length: 800 }, (_, at) => `${person}-${at}`);
  const rows = Array.from({ length: 2400 }, (_, at) => {
    const days = 1 + draw.below(14);
    return [`${person}-stay-${at}`, patients[at % patients.length], days, draw.next() < days / 15, `${street} ${at}`].join(',');
  });
  return {
    people: ['id,gender,address', ...patients.map((id, at) => `${id},${at % 2 === 0 ? 'f' : 'm'},${street} ${at}`)].join('\n'),
    stays: ['stay,patient,days,back,address', ...rows].join('\n'),
  };
}

const back = defineModel({
  format: 1,
  name: 'back',
  task: 'binary',
  sources: {
    people: {
      from: 'hospital:/people.csv.age',
      read: 'csv',
      key: ['patient'],
      columns: { patient: { kind: 'key', named: 'id', pseudonym: true }, gender: 'category' },
    },
    stays: {
      from: 'hospital:/stays.csv.age',
      read: 'csv',
      key: ['stay'],
      columns: { stay: { kind: 'key', pseudonym: true }, patient: { kind: 'key', pseudonym: true }, days: 'number', back: 'flag' },
    },
  },
  contract: [{ check: 'references', of: 'stays.patient', to: 'people.patient' }],
  rows: { sql: 'SELECT * FROM stays JOIN people USING (patient)', key: ['stay'], group: 'patient' },
  request: { days: 'number', gender: 'category' },
  target: { column: 'back' },
  split: { by: 'share', column: 'patient', validation: 0.2, test: 0.2 },
  slices: ['gender'],
  train: [{ trainer: 'linear' }],
  gate: { metric: 'roc-auc', baselines: ['constant'] },
});

let folder: string;
let hospital: string;
let keys: AgeKeys;
let system: TestSystem;
let worker: ChildProcess;
let options: WorkerProcessOptions;
let said = '';
let search: ReturnType<typeof searchFor>;
const runs: RunHandle<unknown>[] = [];

async function train(spec: ModelSpec): Promise<RunHandle<unknown>> {
  const run = await system.client.train(spec, {});
  runs.push(run);
  return run;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-encrypted-'));
  hospital = join(folder, 'hospital');
  for (const each of ['hospital', 'keys', 'temporal', 'data']) await mkdir(join(folder, each));
  keys = await ageKeys();
  search = searchFor({ person, street, identity: keys.identity, pseudonymKey: key });
  const clear = stays();
  const sealed = await encrypted(clear.stays, keys);
  for (const [name, content] of Object.entries({
    people: await encrypted(clear.people, keys),
    stays: sealed,
    damaged: sealed.subarray(0, -100),
    strange: await encrypted(clear.stays, await ageKeys()),
    wrong: await encrypted(clear.stays.replaceAll(/^(.+?,.+?),\d+/gm, `$1,${person}`), keys),
    alone: await encrypted(clear.stays.replaceAll(/,(canary-\w+)-1,/g, ',$1-nobody,'), keys),
  })) {
    await writeFile(join(hospital, `${name}.csv.age`), content);
  }
  await writeFile(join(folder, 'keys', 'identity'), keys.identity);
  await writeFile(join(folder, 'data', 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
  system = await startSystem({ data: join(folder, 'data'), temporal: { dataFolder: join(folder, 'temporal') } });
  await system.worker.stop();
  const connection = { kind: 'folder', path: hospital } as const;
  options = {
    temporal: { address: system.temporal.address },
    namespace: system.temporal.namespace,
    taskQueue: 'perennial',
    store: system.storeUri,
    workFolder: join(system.folder, 'work'),
    computeSlots: 2,
    logs: 'json',
    security: {},
    connections: {
      hospital: { ...connection, identity: { file: join(folder, 'keys', 'identity') }, pseudonymKey: { env: 'PSEUDONYM_KEY' } },
      'without-keys': connection,
    },
  };
  worker = fork(compiled('workers/worker-process'), [], {
    serialization: 'advanced',
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, PSEUDONYM_KEY: key },
  });
  for (const stream of [worker.stdout!, worker.stderr!]) stream.on('data', (part: Buffer) => (said += part.toString()));
  worker.send(options);
  await Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => Promise.reject(new Error(said)))]);
}, 240_000);

afterAll(async () => {
  if (worker !== undefined && worker.exitCode === null) {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
  await system?.close();
  await rm(folder, { recursive: true, force: true });
});

test('a model is trained on encrypted files that are joined by pseudonyms, and while it runs no file holds a word of them in the clear', async () => {
  let outcome: unknown;
  const run = await train(back);
  const ended = run.result().then((value) => (outcome = value));
  while (outcome === undefined) {
    expect(await search.inFolder(options.workFolder)).toEqual([]);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  expect(outcome).toMatchObject({ outcome: 'promoted' });
  // The search would find what is there.
  expect((await searchFor({ pseudonym: pseudonymOf(`${person}-7`) }).inStore(system.store)).length).toBeGreaterThan(0);
}, 240_000);

test.each([
  ['damaged', 'hospital:/damaged.csv.age', 'SourceDamaged'],
  ['of somebody else', 'hospital:/strange.csv.age', 'SourceKeyWrong'],
  ['read without a key', 'without-keys:/stays.csv.age', 'SourceKeyMissing'],
  ['of the wrong kind in a column', 'hospital:/wrong.csv.age', 'SourceInvalid'],
  ['about somebody unknown', 'hospital:/alone.csv.age', 'ContractBroken'],
] as const)(
  'a file that is %s ends the run with its code',
  async (what, from, code) => {
    const spec = { ...back, name: what.replaceAll(' ', '-'), sources: { ...back.sources, stays: { ...back.sources.stays, from } } } as ModelSpec;
    const error: unknown = await (await train(spec)).result().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(search.inText('error', inspect(error, { depth: null }))).toEqual([]);
  },
  120_000,
);

test('no id, no key and nothing of a column that is not declared is in the store, a history, the database, the work folder or a log', async () => {
  const found = [
    ...(await search.inStore(system.store)),
    ...(await search.inFolder(options.workFolder)),
    ...(await search.inFolder(join(folder, 'temporal'))),
    ...search.inText('log', said),
  ];
  const histories = openHistories(system.client.temporal, 'perennial');
  for (const { workflowId, runId } of runs) {
    const { json } = await histories.fetch(workflowId, runId);
    found.push(...search.inText(workflowId, readableHistory(json, undefined)));
  }
  expect(runs).toHaveLength(6);
  expect(said).toContain('SourceDamaged');
  expect(found).toEqual([]);
}, 120_000);
