import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verify } from '../../registry/verify/verify.ts';
import { publicKey } from '../../signing/keys.ts';
import { readMade } from '../../stores/artifact-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import type { Reproduced } from '../../workers/reproduce.ts';
import { perennial } from '../cli/command.ts';
import { recommender, startSystem } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
let elsewhere: string;

const { privateKey, publicKey: publicPem } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** Two versions of one segment, so that the second sat its exam beside a champion; then whatever was cached is deleted, and the sources are gone. */
beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), 'perennial-elsewhere-'));
  await writeFile(join(elsewhere, 'signing.key'), privateKey);
  system = await startSystem({ signing: { key: { file: join(elsewhere, 'signing.key') } } });
  const train = [
    { trainer: 'ease', try: { l2: [200, 300] } },
    { trainer: 'implicit-als', with: { factors: 8 } },
  ] as const;
  for (const changes of [{}, { train }]) {
    const run = await system.client.train(recommender('films', changes));
    expect(await run.result()).toMatchObject({ outcome: 'promoted' });
  }
  await system.worker.stop();
  for (const cache of ['work', 'blobs', 'data']) await rm(join(system.folder, cache), { recursive: true, force: true });
  // Another checkout of the code, in another place.
  const here = resolve(import.meta.dirname, '../..');
  await cp(join(here, 'dist'), join(elsewhere, 'dist'), { recursive: true });
  await cp(join(here, 'package.json'), join(elsewhere, 'package.json'));
  await symlink(join(here, 'node_modules'), join(elsewhere, 'node_modules'), 'dir');
}, 180_000);
afterAll(async () => {
  await rm(elsewhere, { recursive: true, force: true });
  await system?.close();
});

const reproduced = async (version: string) => {
  const cli = join(elsewhere, 'dist/cli/main.js');
  const { code, stdout } = await perennial({ project: elsewhere, home: join(system.folder), cli }, 'reproduce', version, '--json');
  return { code, ...(JSON.parse(stdout) as Reproduced) };
};

describe('reproduce', () => {
  test.each([1, 2])('gives every byte of version %i again, on another path and without caches', async (version) => {
    const { versions } = await system.registry.state({ model: 'films', segment: 'all' });
    const pack = versions[version - 1]!.package.sha256;
    const found = await reproduced(`films@${version}`);
    expect(found).toMatchObject({
      ...{ code: 0, identical: true, difference: null, otherCode: [], package: { expected: pack, found: pack } },
    });
    expect(found.steps.every(({ identical }) => identical)).toBe(true);
    expect(new Set(found.steps.map(({ step }) => step))).toEqual(
      new Set([
        ...['checkContract', 'buildRows', 'splitRows', 'checkLeaks', 'fitPreprocessing', 'trainModel', 'chooseModel'],
        ...['leaveOutSeen', 'predictModel', 'evaluateModel', 'judge', 'snapshotHistory', 'composePackage', 'writeReport'],
      ]),
    );
    // From outside: the spec, the sources, how fast the model was when it was measured, and the model of the champion that sat the exam, too.
    const kinds = new Set(found.given.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['spec', 'source', 'benchmark', ...(version === 1 ? [] : ['model'])]));
  });

  test('names the first step that differs, with both digests, and that another release made it', async () => {
    const change = async (file: string, from: string, to: string): Promise<void> => {
      const path = join(elsewhere, 'dist', file);
      const text = await readFile(path, 'utf8');
      expect(text).toContain(from);
      await writeFile(path, text.replaceAll(from, to));
    };
    await change('activities/train-model.js', 'format: 1', 'format: 2');
    const digests = JSON.parse(await readFile(join(elsewhere, 'dist/code-digests.json'), 'utf8')) as Readonly<Record<string, string>>;
    await change('code-digests.json', digests['activities/compute/fit.js']!, '0'.repeat(64));
    const found = await reproduced('films@1');
    expect(found).toMatchObject({ code: 1, identical: false, package: { found: null }, otherCode: ['trainModel'] });
    const { step, results, because } = found.difference!;
    expect({ step, because }).toEqual({ step: 'trainModel', because: [expect.objectContaining({ path: 'code', after: '0'.repeat(32) })] });
    expect(results.map(({ path }) => path)).toEqual(['trainModel.model.sha256']);
    const made = (await readMade(system.store)).filter((record) => record.provenance.step === 'trainModel').map(({ artifact }) => artifact.sha256);
    expect(made).toContain(results[0]!.before);
    expect(made).not.toContain(results[0]!.after);
    expect(found.steps.filter(({ identical }) => !identical).map((each) => each.step)).toEqual(['trainModel']);
    const { code, stdout } = await perennial(
      { project: elsewhere, home: system.folder, cli: join(elsewhere, 'dist/cli/main.js') },
      'reproduce',
      'films@1',
    );
    expect(code).toBe(1);
    expect(stdout).toContain(`trainModel.model.sha256: recorded ${String(results[0]!.before)}, now ${String(results[0]!.after)}`);
  });
});

describe('verify', () => {
  test('finds nothing in what a worker with a key has left: packages and runs are signed, each run says how far it saw the log', async () => {
    const trusted = [publicKey(publicPem, 'ours')];
    const verified = await verify(system.store, { trusted });
    expect(verified.findings).toEqual([]);
    expect(verified).toMatchObject({ versions: 2, signatures: 2 + verified.runs });
    const seen = (await system.runs.runs()).map(({ workflowId, seen: last }) => [workflowId.split('/')[0], last?.n]);
    expect(seen).toEqual(
      expect.arrayContaining([
        ['train', 6],
        ['deploy', 6],
        ['train', 3],
        ['deploy', 3],
      ]),
    );
    const log = await keysOf(system.store, 'models/');
    for (const object of [...log.slice(-1), ...(await keysOf(system.store, 'changes/'))]) await system.store.remove(object);
    expect((await verify(system.store, { trusted })).findings).toEqual([
      expect.objectContaining({ object: log.at(-1), problem: 'missing', what: expect.stringContaining('runs/') }),
    ]);
  });
});
