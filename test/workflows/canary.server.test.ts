import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../client/client.ts';
import type { PerennialClient } from '../../client/client.ts';
import { readableHistory } from '../../client/readable-history.ts';
import type { Cipher } from '../../core/cipher.ts';
import { openedOutcome } from '../../registry/runs.ts';
import { startUserDataApi } from '../../simulation/user-data-api.ts';
import type { UserDataApi } from '../../simulation/user-data-api.ts';
import { openCipher } from '../../stores/cipher.ts';
import { compiled } from '../../workers/compiled.ts';
import { readSecret } from '../../workers/config.ts';
import { openHistories } from '../../workers/histories.ts';
import { freePort } from '../../workers/ports.ts';
import type { WorkerProcessOptions } from '../../workers/worker-process.ts';
import { searchFor } from '../support/canaries.ts';
import type { Found } from '../support/canaries.ts';
import { recommender, slow, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

const unique = (): string => `canary-${randomBytes(18).toString('base64url')}`;
const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = randomBytes(32);
const brokenEnd = unique();
const secrets = {
  token: unique(),
  /** No header takes it: `fetch` would quote it. */
  brokenToken: `${unique()}\n${brokenEnd}`,
  encryption: key.toString('base64'),
  signing: pem,
  /** Neither is a key. */
  shortKey: unique(),
  noPem: unique(),
};
const search = searchFor({
  ...secrets,
  brokenEnd,
  brokenStart: secrets.brokenToken.split('\n')[0]!,
  'encryption key itself': key.toString('latin1'),
  'encryption key in hex': key.toString('hex'),
  'line of the signing key': pem.split('\n')[1]!,
});
const file = (name: keyof typeof secrets) => ({ file: join(keys, name) });

let keys: string;
let folder: string;
let system: TestSystem;
let api: UserDataApi;
let client: PerennialClient;
let cipher: Cipher;
let worker: ChildProcess;
let output = '';
let metricsPort: number;
let options: WorkerProcessOptions;
const errors: unknown[] = [];
const runs: { readonly workflowId: string; readonly runId: string }[] = [];

/** Answers with what it was sent: the path says with which status and how. */
let refusals = 0;
const echo = createServer(({ url = '', headers }, response) => {
  if (url.startsWith('/500')) refusals++;
  const { authorization = '' } = headers;
  const [, how = ''] = url.split('/');
  const page = { error: authorization, data: [{ token: authorization }], next: `http://elsewhere.example/?token=${authorization}` };
  response.writeHead(/^\d+$/.test(how) ? Number(how) : 200, {
    'content-type': how === 'html' ? 'text/html' : 'application/json',
    'x-echo': authorization,
  });
  response.end(how === 'html' ? `<p>${authorization}</p>` : JSON.stringify(page));
});

beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), 'perennial-keys-'));
  folder = await mkdtemp(join(tmpdir(), 'perennial-canary-'));
  for (const [name, value] of Object.entries(secrets)) await writeFile(join(keys, name), value);
  await mkdir(join(folder, 'temporal'));
  system = await startSystem({ temporal: { dataFolder: join(folder, 'temporal') } });
  await system.worker.stop();
  api = await startUserDataApi({ ratings: join(system.data, 'ratings.csv'), token: secrets.token });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const echoing = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
  metricsPort = await freePort();
  options = {
    temporal: { address: system.temporal.address },
    namespace: system.temporal.namespace,
    taskQueue: 'perennial',
    store: system.storeUri,
    workFolder: join(system.folder, 'work'),
    computeSlots: 2,
    logs: 'json',
    probes: { host: '127.0.0.1', port: metricsPort },
    openLineage: { file: join(folder, 'events.jsonl') },
    security: { encryption: { current: 'k1', keys: { k1: file('encryption') } }, signing: { key: file('signing') } },
    connections: {
      catalogue: { kind: 'folder', path: system.data },
      'user-data-api': { kind: 'http', baseUrl: api.url, allowedHosts: [new URL(api.url).host], token: file('token') },
      echo: { kind: 'http', baseUrl: `http://${echoing}`, allowedHosts: [echoing], token: file('token') },
      broken: { kind: 'http', baseUrl: api.url, allowedHosts: [new URL(api.url).host], token: file('brokenToken') },
    },
    workflowModules: [compiled('test/workers/project/large.workflow')],
    stepModules: [compiled('test/workers/project/large.steps')],
  };
  worker = started(options);
  await Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => Promise.reject(new Error(output)))]);
  cipher = await openCipher(options.security!.encryption!, readSecret);
  client = await connect({ address: system.temporal.address, cipher });
}, 240_000);

afterAll(async () => {
  await client?.close();
  if (worker?.exitCode === null) {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
  await system?.close();
  await api?.close();
  echo.close();
  await Promise.all([keys, folder].map((each) => rm(each, { recursive: true, force: true })));
});

/** A worker all of whose words are kept. */
function started(input: WorkerProcessOptions): ChildProcess {
  const child = fork(compiled('workers/worker-process'), [], { detached: true, serialization: 'advanced', stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (part: Buffer) => (output += part.toString()));
  child.on('message', (said) => (output += inspect(said, { depth: null })));
  child.send(input);
  return child;
}

const specOf = (name: string, from: string) => {
  const { sources } = recommender(name);
  return recommender(name, { sources: { ...sources, ratings: { ...sources!['ratings']!, from } } as typeof sources });
};

/** The arguments of every process of this machine that can be read. */
async function argumentsOfAll(): Promise<string> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).join('\n');
}

/** Everything that is written while something runs, scratch files and checkpoints too. */
async function watched<T>(work: Promise<T>): Promise<{ readonly value: T; readonly found: readonly Found[] }> {
  const found: Found[] = [];
  let done = false;
  const value = work.finally(() => (done = true));
  value.catch(() => {});
  while (!done) {
    found.push(...(await search.inFolder(options.workFolder)), ...search.inText('arguments', await argumentsOfAll()));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { value: await value, found };
}

test('a training that works writes no secret while it runs, into no checkpoint, scratch file or argument', async () => {
  const run = await client.train(recommender('works', { train: [slow(20)] }));
  runs.push(run);
  const { value, found } = await watched(run.result());
  expect(value).toMatchObject({ outcome: 'promoted' });
  expect(found).toEqual([]);
}, 120_000);

test.each([
  ['400', 'echo:/400', 'SourceInvalid'],
  ['401', 'echo:/401', 'SourceRefused'],
  ['html', 'echo:/html', 'SourceInvalid'],
  ['elsewhere', 'echo:/elsewhere', undefined],
  ['line-break', 'broken:/v1/ratings', 'ConfigInvalid'],
])(
  'a source that sends the token back, or has one that cannot be sent, fails the run with its code (%s)',
  async (name, from, code) => {
    const run = await client.train(specOf(`fails-${name}`, from));
    runs.push(run);
    const error = (await run.result().catch((thrown: unknown) => thrown)) as Error;
    errors.push(error);
    expect(error).toMatchObject({ code: code ?? expect.any(String) });
  },
  60_000,
);

test('a source that answers 500 with the token is tried again, until it is told to stop', async () => {
  const run = await client.train(specOf('fails-500', 'echo:/500'));
  runs.push(run);
  await until('it was tried again', async () => refusals > 1);
  await run.cancel();
  errors.push(await run.result().catch((thrown: unknown) => thrown));
}, 60_000);

test.each([
  ['shortKey', { encryption: { current: 'k9', keys: { k9: 'shortKey' } } }, 'EncryptionKeyInvalid'],
  ['noPem', { signing: 'noPem' }, 'ConfigInvalid'],
] as const)(
  'a worker whose key is none (%s) ends, and names only where it is',
  async (_, broken, code) => {
    const security =
      'signing' in broken
        ? { signing: { key: file(broken.signing) } }
        : { encryption: { current: 'k9', keys: { k9: file(broken.encryption.keys.k9) } } };
    const { probes: _probes, ...rest } = options;
    const child = started({ ...rest, security });
    await once(child, 'exit');
    expect(output).toContain(code);
  },
  60_000,
);

test('no secret is in a history, a record, the store, the work folder, the database, an event, a log, a metric or an error', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain('perennial_worker_compute_processes');
  expect(output).toContain('SourceRefused');
  expect(await found()).toEqual([]);
  expect(search.inText('metrics', metrics)).toEqual([]);
  expect(search.inText('output', output)).toEqual([]);
  for (const error of errors) expect(search.inText('error', `${inspect(error, { depth: null })}${JSON.stringify(error)}`)).toEqual([]);
}, 60_000);

test('one that is leaked on purpose is found, though payloads are encrypted', async () => {
  const run = await client.run('sendLarge', { letters: 1, as: 'result', text: secrets.token }, 'leak');
  runs.push(run);
  await run.result();
  const places = (await found()).map(({ secret, place }) => `${secret} in ${place.split(' ')[0]}`);
  expect(new Set(places)).toEqual(new Set(['token in history', 'token in archive']));
}, 60_000);

/** Histories and records are searched as whoever has the key reads them: encryption is no excuse. */
async function found(): Promise<readonly Found[]> {
  const all: Found[] = [];
  for (const run of runs) {
    const { json } = await openHistories(client.temporal, 'perennial').fetch(run.workflowId, run.runId);
    all.push(...search.inText(`history ${run.workflowId}`, readableHistory(json, cipher)));
    const archived = await until('it is archived', () => system.runs.find(run.runId));
    const kept = readableHistory(Buffer.from(await system.runs.history(archived)).toString('utf8'), cipher);
    all.push(...search.inText(`archive ${run.workflowId}`, kept + JSON.stringify(openedOutcome(archived.outcome, cipher))));
  }
  for (const each of [system.folder, folder]) all.push(...(await search.inFolder(each)));
  return all;
}
