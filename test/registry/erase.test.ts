import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Artifact, ArtifactKind, Json } from '../../core/artifact.ts';
import { canonical } from '../../core/canonical.ts';
import { withDuckdb } from '../../data/duckdb.ts';
import { seek } from '../../data/find-subject.ts';
import { datasetOf, erase, planErase } from '../../registry/erase.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { blobKey, type Blobs, openBlobs } from '../../stores/blobs.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { registered } from './samples.ts';

/** Long enough to stand in a file by itself, compressed or not. */
const subject = 'customer-of-whom-nothing-may-stay';
const place = { model: 'm', segment: 'all' };
const person = { by: 'ada', run: null };
const by = { workflowId: 'train/m', runId: 'run-1', workflowType: 'train' };
const context = () => ({ scratch: folder, signal: new AbortController().signal });

let folder: string;
let store: ObjectStore;
let blobs: Blobs;
let registry: Registry;

async function openAll(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'perennial-erase-'));
  store = await openStore(join(folder, 'store'));
  blobs = await openBlobs(store, join(folder, 'cache'));
  registry = openRegistry(store, blobs);
}
beforeEach(openAll);
afterEach(() => rm(folder, { recursive: true, force: true }));

async function make<K extends ArtifactKind>(kind: K, inputs: Record<string, string>, path: string, parameters: Json = {}): Promise<Artifact<K>> {
  const provenance = { step: kind, code: 'c0de', inputs, parameters, environment: {} };
  return openArtifactStore(store, blobs).commit(kind, provenance, path, { mediaType: 'application/octet-stream', by });
}

async function json<K extends ArtifactKind>(kind: K, inputs: Record<string, string>, content: unknown): Promise<Artifact<K>> {
  await writeFile(join(folder, 'json'), canonical(content));
  return make(kind, inputs, join(folder, 'json'));
}

async function parquet(name: string, users: readonly string[]): Promise<string> {
  const path = join(folder, `${name}.parquet`);
  const values = users.map((user, at) => `('${user}', ${at})`).join(', ');
  await withDuckdb({ write: [path] }, context(), (db) =>
    db.run(`COPY (SELECT * FROM (VALUES ${values}) AS ratings("userId", item)) TO '${path}' (FORMAT parquet, COMPRESSION uncompressed)`),
  );
  return path;
}

/** A version that learned from a source of these users; whatever was made on the way names them as ours does. */
async function train(source: string, users: readonly string[], expect: number | null): Promise<void> {
  const snapshot = await make('source', { observation: source }, await parquet(source, users), { source });
  const rows = await make('rows', { [source]: snapshot.sha256 }, await parquet(`${source}-rows`, [...users, 'nobody']));
  const split = await json('split', { rows: rows.sha256 }, { split: users });
  const items = await json('preprocessor', { rows: rows.sha256 }, { users });
  const lines = join(folder, 'history.gz');
  await writeFile(lines, gzipSync(users.map((user) => JSON.stringify({ user, items: [] })).join('\n'), { level: 0 }));
  const history = await make('snapshot', { rows: rows.sha256 }, lines);
  await writeFile(join(folder, 'onnx'), `weights of ${source}`);
  const onnx = await blobs.put(join(folder, 'onnx'));
  const examined = await json('model', { rows: rows.sha256 }, { onnx });
  const file = { path: 'model.onnx', role: 'model', mediaType: 'application/onnx', ...onnx };
  const pack = await json('package', { model: examined.sha256 }, { format: 1, ...place, files: [file] });
  const evaluation = await json('evaluation', { rows: rows.sha256 }, { of: source });
  const report = await json('report', { evaluation: evaluation.sha256 }, { on: source });
  const spec = await json('spec', {}, 'spec');
  const version = { ...registered(source, pack), spec, evaluation, report, examined, examinedItems: items, seen: { rows, splits: [split] }, history };
  const { version: number } = await registry.register(place, version, person);
  await registry.promote(place, { version: number, expect, verdict: 'better', reason: 'it is better' }, person);
}

async function fill(): Promise<void> {
  await train('strangers', ['anna', 'bert'], null);
  await train('ratings', ['anna', subject], 1);
}

const pathOf = (key: Key): string => join(folder, 'store', key);
const holding = async (): Promise<readonly Key[]> => {
  const keys = await keysOf(store, '');
  const bodies = await Promise.all(keys.map((key) => readFile(pathOf(key))));
  return keys.filter((key, at) => key.includes(subject) || bodies[at]!.includes(subject));
};

/** What holds the subject, as the command line looks for it. */
async function origins(): Promise<readonly string[]> {
  const keys = await keysOf(store, 'blobs/');
  const bodies = await Promise.all(keys.map((key) => readFile(pathOf(key))));
  const files = keys.filter((_, at) => bodies[at]!.subarray(0, 4).toString() === 'PAR1').map(pathOf);
  const { holding: found } = await seek([{ column: 'USERID', value: subject }], files, context());
  return found.map((path) => path.split('/').at(-1)!);
}

const isClean = async (): Promise<void> => expect((await verify(store)).findings).toEqual([]);

describe('erase', () => {
  test('leaves no byte of a subject, says which versions learned from it, and lets those stand and serve', async () => {
    await fill();
    expect((await holding()).length).toBe(5);
    const plan = await planErase(store, registry, { origins: await origins(), retire: false });
    expect(plan).toMatchObject({ erasure: null, versions: [{ reference: 'm/all@2', status: 'champion', stands: true }] });
    expect((await holding()).length).toBe(5);

    const erased = await erase(store, registry, { origins: await origins(), retire: false, reason: 'request 17' }, person);
    expect(erased).toEqual({ ...plan, erasure: expect.any(String) });
    expect(await holding()).toEqual([]);
    const { versions, champion } = await registry.state(place);
    expect(champion).toBe(2);
    expect(versions[0]!.erased).toBeUndefined();
    expect(versions[1]!.erased).toMatchObject([{ erasure: erased.erasure, by: 'ada', reason: 'request 17', content: erased.content }]);
    for (const { files } of await Promise.all(versions.map(({ package: pack }) => registry.manifest(pack)))) {
      expect(await blobs.readBytes(files[0]!.sha256)).toBeDefined();
    }
    await isClean();
    expect((await verify(store, { version: 'm/all@2' })).findings).toEqual([]);
    expect(await origins()).toEqual([]);
  });

  test('retires what learned from it, with package and model, if it is told to, and touches no other version', async () => {
    await fill();
    const [first, second] = (await registry.state(place)).versions;
    const { files } = await registry.manifest(second!.package);
    await erase(store, registry, { origins: await origins(), retire: true, reason: 'request 17' }, person);
    const { champion, versions } = await registry.state(place);
    expect({ champion, statuses: versions.map(({ status }) => status) }).toEqual({ champion: null, statuses: ['previous', 'retired'] });
    for (const { sha256 } of [second!.package, second!.examined, second!.report, ...files]) expect(await store.head(blobKey(sha256))).toBeUndefined();
    for (const { sha256 } of [first!.package, first!.seen.rows, first!.history!]) expect(await store.head(blobKey(sha256))).toBeDefined();
    await isClean();
  });

  test('goes on where it was killed, and never leaves an absence that nothing explains', async () => {
    for (let at = 0; ; at++) {
      await rm(folder, { recursive: true });
      await openAll();
      await fill();
      let left = at;
      const dying: ObjectStore = {
        ...store,
        async remove(key) {
          if (left-- === 0) throw new Error('killed');
          await store.remove(key);
        },
      };
      const request = { origins: await origins(), retire: false, reason: 'request 17' };
      const died = await erase(dying, registry, request, person).then(
        () => false,
        () => true,
      );
      await isClean();
      await erase(store, registry, { ...request, origins: await origins() }, person);
      expect(await holding()).toEqual([]);
      await isClean();
      if (!died) return expect(at).toBeGreaterThan(5);
    }
  });

  test('says all that went where a request that was killed is made again with more', async () => {
    await fill();
    const request = { origins: await origins(), reason: 'request 17' };
    const dying: ObjectStore = { ...store, remove: () => Promise.reject(new Error('killed')) };
    await expect(erase(dying, registry, { ...request, retire: false }, person)).rejects.toThrow('killed');
    await erase(store, registry, { ...request, retire: true }, person);
    await isClean();
    const kinds = async () => (await registry.entries(place)).map(({ command }) => command.kind);
    expect((await kinds()).slice(-3)).toEqual(['erased', 'retired', 'erased']);
  });

  test('erases nothing while a record cannot be read, since it may tell of more', async () => {
    await fill();
    const [record] = await keysOf(store, 'made/');
    await store.remove(record!);
    await store.settle(record!, Buffer.from('{'));
    const request = { origins: await origins(), retire: false, reason: 'request 17' };
    await expect(erase(store, registry, request, person)).rejects.toMatchObject({ code: 'ArtifactCorrupt', facts: { key: record } });
    expect((await registry.state(place)).versions[1]!.erased).toBeUndefined();
  });

  test('erases a source by its name, or what was read by its SHA-256, with all that was made of it', async () => {
    await fill();
    const { sha256 } = (await registry.state(place)).versions[1]!.seen.rows;
    const reached = async (name: string) =>
      (await planErase(store, registry, { origins: await datasetOf(store, name), retire: false })).content.length;
    expect([await reached('ratings'), await reached(sha256)]).toEqual([5, 4]);
    await expect(datasetOf(store, 'ratngs')).rejects.toMatchObject({ code: 'ArtifactMissing' });
    await erase(store, registry, { origins: await datasetOf(store, 'ratings'), retire: false, reason: 'the licence ended' }, person);
    expect(await holding()).toEqual([]);
    await isClean();
  });
});
