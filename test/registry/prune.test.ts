import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Artifact, ArtifactKind } from '../../core/artifact.ts';
import { canonical } from '../../core/canonical.ts';
import { planPrune, prune } from '../../registry/prune.ts';
import { answerLine, answersKey, findAnswer } from '../../registry/answers.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { openRunArchive } from '../../registry/runs.ts';
import { verify } from '../../registry/verify/verify.ts';
import { type ArtifactStore, openArtifactStore } from '../../stores/artifact-store.ts';
import { blobKey, type Blobs, openBlobs } from '../../stores/blobs.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { registered } from './samples.ts';

const place = { model: 'm', segment: 'all' };
const person = { by: 'ada', run: null };
const now = Date.now();
const day = 86_400_000;
const namedInHistory = async (history: Uint8Array) =>
  Buffer.from(history)
    .toString('utf8')
    .match(/[0-9a-f]{64}/g) ?? [];
const retention = { namedInHistory, keep: 1, before: new Date(now - 30 * day).toISOString(), reason: 'the disk is full' };

let folder: string;
let store: ObjectStore;
let blobs: Blobs;
let artifacts: ArtifactStore;
let registry: Registry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-prune-'));
  store = await openStore(join(folder, 'store'));
  blobs = await openBlobs(store, join(folder, 'cache'));
  artifacts = openArtifactStore(store, blobs);
  registry = openRegistry(store, blobs);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Whatever is written meanwhile is that many days old, records and contents alike. */
async function daysAgo<T>(days: number, write: () => Promise<T>): Promise<T> {
  const then = now - days * day;
  const before = new Set(await keysOf(store, 'blobs/'));
  const clock = jest.spyOn(Date, 'now').mockReturnValue(then);
  const stamp = jest
    .spyOn(Date.prototype, 'toISOString')
    .mockImplementation(() => new Intl.DateTimeFormat('sv', { timeZone: 'UTC' }).format(then) + 'T12:00:00.000Z');
  try {
    return await write();
  } finally {
    clock.mockRestore();
    stamp.mockRestore();
    for (const key of await keysOf(store, 'blobs/')) if (!before.has(key)) await utimes(join(folder, 'store', key), then / 1000, then / 1000);
  }
}

const run = (runId: string) => ({ workflowId: 'train/m', runId, workflowType: 'train' });

async function make<K extends ArtifactKind>(kind: K, by: string, inputs: Readonly<Record<string, string>>, content: unknown): Promise<Artifact<K>> {
  const path = join(folder, 'made');
  await writeFile(path, canonical(content));
  const provenance = { step: kind, code: 'c0de', inputs, parameters: { by }, environment: {} };
  return artifacts.commit(kind, provenance, path, { mediaType: 'application/json', by: run(by) });
}

const put = async <K extends ArtifactKind>(kind: K, content: unknown): Promise<Artifact<K>> => ({
  ...{ kind, mediaType: 'application/json' },
  ...(await blobs.putBytes(Buffer.from(canonical(content)))),
});

/** A version that is all there, with what its run made on the way. */
async function train(
  name: string,
  source?: Artifact<'snapshot'>,
): Promise<{ version: number; onnx: string; profile: string; source: Artifact<'snapshot'> }> {
  const snapshot = source ?? (await make('snapshot', name, {}, `${name} snapshot`));
  const rows = await make('rows', name, { ratings: snapshot.sha256 }, `${name} rows`);
  const profile = await make('profile', name, { rows: rows.sha256 }, `${name} profile`);
  const onnx = await put('model', `${name} onnx`);
  const examined = await make('model', name, { rows: rows.sha256 }, { onnx: { sha256: onnx.sha256, bytes: onnx.bytes } });
  const file = { path: 'model.onnx', role: 'model', mediaType: 'application/onnx', sha256: onnx.sha256, bytes: onnx.bytes };
  const pack = await make('package', name, { model: examined.sha256 }, { format: 1, ...place, files: [file] });
  const version = {
    ...registered(name, pack),
    spec: await put('spec', 'spec'),
    evaluation: await put('evaluation', `${name} evaluation`),
    report: await put('report', `${name} report`),
    examined,
    examinedItems: await put('preprocessor', `${name} items`),
    seen: { rows, splits: [await put('split', `${name} split`)] },
  };
  const added = await registry.register(place, version, { by: 'demo', run: run(name) });
  return { version: added.version, onnx: onnx.sha256, profile: profile.sha256, source: snapshot };
}

const promote = (version: number, expect: number | null) =>
  registry.promote(place, { version, expect, verdict: 'better', reason: 'it is better' }, person);
const has = async (sha256: string): Promise<boolean> => (await store.head(blobKey(sha256))) !== undefined;
const isClean = async (): Promise<void> => expect((await verify(store)).findings).toEqual([]);

/** Versions 1 to 4, 1 to 3 of them champions in turn: 1 is let go. */
async function fill() {
  const versions = await daysAgo(60, async () => {
    const trained = [await train('v1')];
    await promote(1, null);
    for (const name of ['v2', 'v3']) {
      trained.push(await train(name, trained[0]!.source));
      await promote(trained.length, trained.length - 1);
    }
    trained.push(await train('v4'));
    return trained;
  });
  return versions as [Trained, Trained, Trained, Trained];
}
type Trained = Awaited<ReturnType<typeof train>>;

describe('prune', () => {
  test('keeps champion, previous, anchor and the newest, with all that they were made of, and lets the others go', async () => {
    const [first, second, third, fourth] = await fill();
    const plan = await planPrune(store, registry, retention);
    expect(plan).toMatchObject({ versions: ['m/all@1'] });
    expect(plan.bytes).toBeGreaterThan(0);
    expect((await registry.state(place)).versions.some(({ pruned }) => pruned)).toBe(false);

    expect(await prune(store, registry, retention, person)).toEqual(plan);
    expect(await has(first.onnx)).toBe(false);
    expect(await has(first.source.sha256)).toBe(true);
    for (const kept of [second, third, fourth]) expect([await has(kept.onnx), await has(kept.profile)]).toEqual([true, true]);
    expect((await registry.state(place)).versions[0]).toMatchObject({
      version: 1,
      status: 'former',
      pruned: { by: 'ada', reason: 'the disk is full' },
    });
    await isClean();
    expect((await verify(store, { version: 'm/all@1' })).findings).toEqual([]);
    expect(await planPrune(store, registry, retention)).toEqual({ versions: [], records: 0, contents: 0, bytes: 0 });
  });

  test('keeps of an archived run its history, not all that it gave', async () => {
    const [first] = await fill();
    const pack = (await registry.state(place)).versions[0]!.package;
    await openRunArchive(store, blobs).archive({
      ...run('v1'),
      lastEvent: 3,
      outcome: { status: 'completed', result: { outcome: 'promoted', package: { ...pack } } },
      history: Buffer.from('{"events":[]}'),
    });
    await prune(store, registry, retention, person);
    expect(await has(first.onnx)).toBe(false);
    expect(Buffer.from(await openRunArchive(store, blobs).history(await openRunArchive(store, blobs).run('v1'))).toString()).toContain('events');
  });

  test('keeps what only the histories of living versions name, as their measurements, so that they can be made again', async () => {
    const [first, second] = await fill();
    const measured = await daysAgo(60, async () => [await put('benchmark', 'of v1'), await put('benchmark', 'of v2')] as const);
    const runs = openRunArchive(store, blobs);
    for (const [at, name] of ['v1', 'v2'].entries()) {
      const history = Buffer.from(JSON.stringify({ events: [measured[at]!.sha256] }));
      await runs.archive({ ...run(name), lastEvent: 9, outcome: { status: 'completed' }, history });
    }
    await prune(store, registry, retention, person);
    expect([await has(measured[0].sha256), await has(measured[1].sha256)]).toEqual([false, true]);
    expect([await has(first.onnx), await has(second.onnx)]).toEqual([false, true]);
    expect(await runs.runs()).toHaveLength(2);
    await isClean();
  });

  test('lets go of answers and hints by the day, and of none that is young', async () => {
    await fill();
    const answer = (days: number) => {
      const at = now - days * day;
      const line = answerLine({ ...place, id: `request-${days}`, at: new Date(at).toISOString(), version: 3, digest: 'd', endpoint: 'recommend' });
      return [answersKey(at, at, 'server-1', line), line] as const;
    };
    for (const [key, line] of [answer(31), answer(29)]) await store.settle(key, Buffer.from(line));
    const hints = (await keysOf(store, 'changes/')).length;
    expect(hints).toBeGreaterThan(0);
    await daysAgo(0, () => registry.retire(place, { version: 4, reason: 'too slow' }, person));
    await prune(store, registry, retention, person);
    expect(await keysOf(store, 'predictions/')).toEqual([answer(29)[0]]);
    // What the pruning itself and the retirement announced stays.
    for (const hint of await keysOf(store, 'changes/')) expect(hint.split('/')[1]! >= retention.before.slice(0, 10)).toBe(true);
    expect(await findAnswer(store, 'request-29')).toMatchObject({ version: 3 });
    await isClean();
  });

  test('lets no pruned version come back, but a training may make it anew', async () => {
    await fill();
    await prune(store, registry, retention, person);
    await expect(registry.rollBack(place, { from: 3, to: 1, reason: 'it was nice' }, person)).rejects.toThrow('m/all@1 was pruned');
    expect((await train('v1')).version).toBe(5);
    await isClean();
  });

  test('spares a version that became champion after it was chosen, since the log decides', async () => {
    await fill();
    await registry.rollBack(place, { from: 3, to: 1, reason: 'in the meantime' }, person);
    expect(await registry.prune(place, { versions: [1, 2], reason: 'chosen before' }, person)).toEqual([2]);
  });

  test('takes nothing that is young, or that an open run made or took from the cache', async () => {
    const [old, taken] = await daysAgo(60, async () => [await make('profile', 'r1', {}, 'old'), await make('profile', 'r2', { of: 'x' }, 'taken')]);
    const young = await make('profile', 'r3', { of: 'y' }, 'young');
    const stray = await put('report', 'not recorded yet');
    await daysAgo(50, () =>
      artifacts.find('profile', { step: 'profile', code: 'c0de', inputs: { of: 'x' }, parameters: { by: 'r2' }, environment: {} }, run('r4')),
    );
    await prune(store, registry, { ...retention, open: new Set(['r4']) }, person);
    expect([await has(old.sha256), await has(taken.sha256), await has(young.sha256), await has(stray.sha256)]).toEqual([false, true, true, true]);
    await prune(store, registry, retention, person);
    expect([await has(taken.sha256), await keysOf(store, 'used/')]).toEqual([false, []]);
    await isClean();
  });

  test('leaves a whole store wherever it is killed, and goes on when it runs again', async () => {
    for (let at = 0; ; at++) {
      await rm(join(folder, 'store'), { recursive: true });
      store = await openStore(join(folder, 'store'));
      blobs = await openBlobs(store, join(folder, 'cache'));
      artifacts = openArtifactStore(store, blobs);
      registry = openRegistry(store, blobs);
      const [first] = await fill();
      let left = at;
      const dying: ObjectStore = {
        ...store,
        async remove(key) {
          if (left-- === 0) throw new Error('killed');
          await store.remove(key);
        },
      };
      const died = await prune(dying, registry, retention, person).then(
        () => false,
        () => true,
      );
      await isClean();
      await prune(store, registry, retention, person);
      await isClean();
      expect(await has(first.onnx)).toBe(false);
      if (!died) return expect(at).toBeGreaterThan(5);
    }
  });

  test('sweeps nothing while a record cannot be read', async () => {
    await fill();
    const [record] = await keysOf(store, 'made/');
    await store.remove(record!);
    await store.settle(record!, Buffer.from('{'));
    await expect(prune(store, registry, retention, person)).rejects.toMatchObject({ code: 'ArtifactCorrupt', facts: { key: record } });
  });
});
