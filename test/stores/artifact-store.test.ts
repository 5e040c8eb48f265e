import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Provenance, Run } from '../../core/artifact.ts';
import { differences } from '../../core/explain-cache.ts';
import { type ArtifactStore, openArtifactStore, readMade, readUsed } from '../../stores/artifact-store.ts';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { provenanceDigest, sha256 } from '../../stores/digest.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import { key } from '../../stores/key.ts';
import type { Call, ObjectStore } from '../../stores/object-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { produce } from '../../stores/produce.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';

let folder: string;
let store: ObjectStore;
let artifacts: ArtifactStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-artifacts-'));
  store = await openFolderStore(join(folder, 'store'));
  artifacts = openArtifactStore(store, await openBlobs(store, join(folder, 'cache')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (runId: string): Run => ({ runId, workflowId: 'train/top-movies/all', workflowType: 'train' });
const provenance: Provenance = {
  step: 'buildRows',
  code: 'c0de',
  inputs: { ratings: sha256('ratings'), movies: sha256('movies') },
  parameters: { sql: 'SELECT 1', try: { l2: [1, 2] } },
  environment: { duckdb: '1.5.5' },
};

let makes = 0;
const make =
  (content: string, name = content) =>
  async () => {
    makes++;
    const path = join(folder, `made-${name}`);
    await writeFile(path, content);
    return { path, mediaType: 'text/plain' };
  };
const rows = (content: string, by = run('run-1'), from = provenance) => produce(artifacts, 'rows', from, by, make(content));

describe('produce', () => {
  test('makes once, and gives the first result to every later run', async () => {
    makes = 0;
    const first = await rows('first');
    expect(first).toEqual({ kind: 'rows', sha256: sha256('first'), bytes: 5, mediaType: 'text/plain' });
    expect(await rows('second', run('run-2'))).toEqual(first);
    expect(makes).toBe(1);
  });

  test('makes again when anything that is keyed differs', async () => {
    await rows('first');
    const others: Provenance[] = [
      { ...provenance, step: 'splitRows' },
      { ...provenance, code: 'c0ffee' },
      { ...provenance, inputs: { ...provenance.inputs, movies: sha256('other') } },
      { ...provenance, parameters: { sql: 'SELECT 1', try: { l2: [1, 3] } } },
      { ...provenance, environment: { duckdb: '1.5.6' } },
    ];
    for (const [at, other] of others.entries()) expect((await rows(`other ${at}`, run('run-1'), other)).sha256).toBe(sha256(`other ${at}`));
    expect(new Set([provenance, ...others].map(provenanceDigest)).size).toBe(6);
  });

  test('writes down which runs used the cache, and that a retry of the maker did not', async () => {
    await rows('first');
    await rows('first', run('run-1'));
    await rows('first', run('run-2'));
    await rows('first', run('Run 3'));
    expect((await readUsed(store)).map(({ by }) => by.runId).sort()).toEqual(['Run 3', 'run-2']);
    expect(await readUsed(store, 'Run 3')).toMatchObject([{ provenance: provenanceDigest(provenance), artifact: { sha256: sha256('first') } }]);
  });

  test('lets one of many racers stand, and gives its artifact to all', async () => {
    const results = await Promise.all(Array.from({ length: 16 }, (_, at) => rows(`result ${at}`, run(`run-${at}`))));
    expect(new Set(results.map((it) => it.sha256)).size).toBe(1);
    expect(await readMade(store)).toHaveLength(1);
    expect(await rows('later')).toEqual(results[0]);
  });

  test('keeps artifacts of different kinds from one step apart', async () => {
    expect(await rows('the rows')).toMatchObject({ kind: 'rows', sha256: sha256('the rows') });
    const profile = await produce(artifacts, 'profile', provenance, run('run-1'), make('the profile'));
    expect(profile).toMatchObject({ kind: 'profile', sha256: sha256('the profile') });
    expect(await rows('other rows')).toMatchObject({ sha256: sha256('the rows') });
  });

  test('tells while a large file is kept that it goes on, and stops when it is cancelled', async () => {
    const large = 'x'.repeat(3 << 20);
    const told: number[] = [];
    const keep = (call: Call) => produce(artifacts, 'rows', provenance, run('run-1'), make(large, 'large'), call);
    const controller = new AbortController();
    const stopped = keep({ signal: controller.signal, onBytes: (done) => (told.push(done), controller.abort()) });
    await expect(stopped).rejects.toMatchObject({ code: 'Cancelled' });
    expect(told).toEqual([1 << 20]);
    told.length = 0;
    await keep({ onBytes: (done) => told.push(done) });
    // Hashed, then copied.
    expect(told.filter((done) => done === 1 << 20)).toHaveLength(2);
  });
});

describe('a record in the cache', () => {
  test.each([
    ['is missing', (digest: string) => store.remove(blobKey(digest))],
    [
      'is cut off',
      async (digest: string) => {
        await store.remove(blobKey(digest));
        await store.settle(blobKey(digest), Buffer.from('fir'));
      },
    ],
  ])('whose content %s does not poison its key', async (_, damage) => {
    await rows('first');
    await damage(sha256('first'));
    expect(await artifacts.find('rows', provenance)).toBeUndefined();
    expect((await rows('again', run('run-2'))).sha256).toBe(sha256('again'));
    expect((await rows('third', run('run-3'))).sha256).toBe(sha256('again'));
    expect((await keysOf(store, 'made/')).map((it) => it.slice(-11))).toEqual(['000001.json', '000002.json']);
  });

  test.each([
    ['no JSON', 'torn {'],
    ['JSON of something else', '{"provenance":{"step":"other"},"artifact":{},"by":{}}'],
    ['nothing', ''],
  ])('that is %s is passed over', async (_, text) => {
    const damaged = key(`made/${provenanceDigest(provenance)}/000001.json`);
    await store.settle(damaged, Buffer.from(text));
    expect((await rows('made')).sha256).toBe(sha256('made'));
    expect((await rows('later')).sha256).toBe(sha256('made'));
  });
});

describe('the difference of two provenances', () => {
  test.each([
    [{ ...provenance, code: 'x' }, ['code']],
    [{ ...provenance, inputs: { ratings: 'x', tags: 'y' } }, ['inputs.movies', 'inputs.ratings', 'inputs.tags']],
    [{ ...provenance, parameters: [1] }, ['parameters']],
    [{ ...provenance, parameters: null, environment: {} }, ['parameters', 'environment.duckdb']],
    [provenance, []],
  ])('tells the paths %#', (other, paths) => expect(differences(provenance, other).map((it) => it.path)).toEqual(paths));
});

test('content that was pruned just before it got its record is put again', async () => {
  const pruning = createStoreInMemory((what, key) => {
    if (what === 'settle' && key.startsWith('made/'))
      for (const each of pruning.objects.keys()) if (each.startsWith('blobs/')) pruning.objects.delete(each);
  });
  artifacts = openArtifactStore(pruning, await openBlobs(pruning, join(folder, 'cache')));
  const made = await rows('first');
  expect(pruning.objects.has(blobKey(made.sha256))).toBe(true);
});

test('a step costs six requests when it is made, and five when it is reused', async () => {
  let requests: string[] = [];
  const counted = createStoreInMemory((what) => void requests.push(what));
  artifacts = openArtifactStore(counted, await openBlobs(counted, join(folder, 'cache')));
  await rows('first');
  expect(requests).toEqual(['list', 'list', 'settle', 'settle', 'settle', 'head']);
  requests = [];
  await rows('first', run('run-2'));
  expect(requests).toEqual(['list', 'read', 'head', 'settle', 'settle']);
});
