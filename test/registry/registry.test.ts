import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseReference, reigns } from '../../core/registry.ts';
import type { Command } from '../../core/registry-entry.ts';
import { type Author, openRegistry, type Registry } from '../../registry/registry.ts';
import { type Blobs, openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';
import { artifact, registered, verdict } from './samples.ts';

let root: string;
let store: ObjectStore;
let blobs: Blobs;
let registry: Registry;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-registry-'));
  store = await openFolderStore(join(root, 'store'));
  blobs = await openBlobs(store, join(root, 'cache'));
  registry = openRegistry(store, blobs);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const all = { model: 'movie-recommender', segment: 'all' };
const october = { model: 'movie-recommender', segment: 'month=10' };
const inRun = (runId: string): Author => ({ by: 'demo', run: { workflowId: 'train/movie-recommender/all', runId } });
const person: Author = { by: 'ada', run: null };
const promotion = (version: number, expect: number | null, name = 'better' as const) => ({ version, expect, verdict: name, reason: `it is ${name}` });

async function withVersions(count: number, place = all): Promise<void> {
  for (let at = 1; at <= count; at++) await registry.register(place, registered(`v${at}`), inRun(`run-${at}`));
}

describe('register', () => {
  test('numbers versions from 1, each segment for itself', async () => {
    expect(await registry.register(all, registered('a'), inRun('r1'))).toEqual({ version: 1, added: true });
    expect(await registry.register(all, registered('b'), inRun('r2'))).toEqual({ version: 2, added: true });
    expect(await registry.register(october, registered('a'), inRun('r3'))).toEqual({ version: 1, added: true });
    expect((await registry.state(all)).versions).toMatchObject([
      { version: 1, by: 'demo', run: { runId: 'r1' }, status: 'registered', window: { to: '2018-11-01' } },
      { version: 2, run: { runId: 'r2' } },
    ]);
  });

  test('gives a package that is a version already its number, and adds nothing', async () => {
    await withVersions(2);
    const again = { ...registered('v1'), rows: 7 };
    expect(await registry.register(all, again, inRun('later'))).toEqual({ version: 1, added: false });
    expect(await registry.entries(all)).toHaveLength(2);
  });

  test('gives racing registrations different numbers, and equal packages the same', async () => {
    const racers = Array.from({ length: 16 }, (_, at) => openRegistry(store, blobs).register(all, registered(`v${at % 8}`), inRun(`run-${at}`)));
    const results = await Promise.all(racers);
    expect(results.filter((it) => it.added)).toHaveLength(8);
    expect(new Set(results.map((it) => it.version)).size).toBe(8);
    for (let at = 0; at < 8; at++) expect(results[at]!.version).toBe(results[at + 8]!.version);
  });
});

describe('a version', () => {
  test('that was judged again shows the verdict, the report and the figures of its last judgement, and keeps its package', async () => {
    await withVersions(1);
    const first = registered('v1');
    const { evaluation, report, metrics, baselines } = { ...registered('again'), metrics: { 'ndcg@10': 0.09 } };
    const again = { version: 1, verdict: verdict('worse'), against: 2, exam: { evaluation, report, metrics, baselines } };
    await registry.judged(all, again, inRun('run-1'));
    await registry.judged(all, again, inRun('run-1'));
    const [version] = (await registry.state(all)).versions;
    expect(version).toMatchObject({ version: 1, verdict: { name: 'worse' }, evaluation, report, metrics, package: first.package });
    expect((await registry.entries(all)).map(({ command }) => command.kind)).toEqual(['registered', 'judged']);
  });

  test('that is retired is not revived by registering its package: that is a new version', async () => {
    await withVersions(1);
    const { registered: same } = (await registry.entries(all))[0]!.command as Extract<Command, { kind: 'registered' }>;
    expect(await registry.register(all, same, inRun('run-2'))).toEqual({ version: 1, added: false });
    await registry.retire(all, { version: 1, reason: 'made from wrong data' }, person);
    expect(await registry.register(all, same, inRun('run-2'))).toEqual({ version: 2, added: true });
    expect(await registry.register(all, same, inRun('run-2'))).toEqual({ version: 2, added: false });
  });
});

describe('promote', () => {
  test('makes a champion, and remembers who was before', async () => {
    await withVersions(3);
    await registry.promote(all, promotion(1, null), inRun('run-1'));
    await registry.promote(all, promotion(2, 1), inRun('run-2'));
    await registry.promote(all, promotion(3, 2), person);
    const state = await registry.state(all);
    expect(state).toMatchObject({ champion: 3, previousChampion: 2, anchor: 3, entries: 6 });
    expect(state.versions.map((it) => it.status)).toEqual(['former', 'previous', 'champion']);
  });

  test('keeps the anchor at the last version that was better, so that small losses do not add up', async () => {
    await withVersions(4);
    const promote = (version: number, expect: number | null, name: 'better' | 'not-worse') =>
      registry.promote(all, { ...promotion(version, expect), verdict: name }, inRun(`run-${version}`));
    await promote(1, null, 'not-worse');
    expect((await registry.state(all)).anchor).toBe(1);
    await promote(2, 1, 'better');
    await promote(3, 2, 'not-worse');
    await promote(4, 3, 'not-worse');
    expect(await registry.state(all)).toMatchObject({ champion: 4, anchor: 2 });
  });

  test('refuses when the champion is not the one that was judged against', async () => {
    await withVersions(3);
    await registry.promote(all, promotion(1, null), inRun('run-1'));
    await expect(registry.promote(all, promotion(2, null), inRun('run-2'))).rejects.toMatchObject({
      code: 'ChampionChanged',
      facts: { version: 2, expect: null, champion: 1 },
    });
    expect(await registry.state(all)).toMatchObject({ champion: 1, entries: 4 });
  });

  test('lets one of sixteen racing promotions win', async () => {
    await withVersions(16);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, (_, at) => openRegistry(store, blobs).promote(all, promotion(at + 1, null), inRun(`run-${at + 1}`))),
    );
    const won = outcomes.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    expect(won).toHaveLength(1);
    for (const it of outcomes) if (it.status === 'rejected') expect(it.reason).toMatchObject({ code: 'ChampionChanged' });
    expect((await registry.entries(all)).filter((it) => it.command.kind === 'promoted')).toEqual(won);
  });

  test('that is retried finds its own entry, even after somebody promoted another', async () => {
    await withVersions(2);
    const first = await registry.promote(all, promotion(1, null), inRun('run-1'));
    expect(await openRegistry(store, blobs).promote(all, promotion(1, null), inRun('run-1'))).toEqual(first);
    await registry.promote(all, promotion(2, 1), inRun('run-2'));
    expect(await registry.promote(all, promotion(1, null), inRun('run-1'))).toEqual(first);
    expect(await registry.state(all)).toMatchObject({ champion: 2, entries: 4 });
  });

  test('of the champion adds nothing; back to an earlier one is a new entry', async () => {
    await withVersions(2);
    const first = await registry.promote(all, promotion(1, null), person);
    expect(await registry.promote(all, promotion(1, 1), person)).toEqual(first);
    await registry.promote(all, promotion(2, 1), person);
    await registry.promote(all, promotion(1, 2), person);
    await registry.promote(all, promotion(2, 1), person);
    expect(reigns(await registry.entries(all)).map((it) => it.version)).toEqual([1, 2, 1, 2]);
  });

  test('refuses versions that are unknown or retired', async () => {
    await withVersions(1);
    await expect(registry.promote(all, promotion(2, null), person)).rejects.toMatchObject({ code: 'VersionUnknown' });
    await registry.retire(all, { version: 1, reason: 'made from wrong data' }, person);
    await registry.retire(all, { version: 1, reason: 'made from wrong data' }, person);
    await expect(registry.promote(all, promotion(1, null), person)).rejects.toMatchObject({ code: 'VersionUnknown' });
    expect(await registry.entries(all)).toHaveLength(2);
  });

  test('whose answer got lost is not written twice', async () => {
    let failing = false;
    const faulty = createStoreInMemory();
    const settle = faulty.settle.bind(faulty);
    faulty.settle = async (key, body, call) => {
      const standing = await settle(key, body, call);
      if (failing) throw new Error('the connection broke after the write');
      return standing;
    };
    registry = openRegistry(faulty, blobs);
    await withVersions(1);
    failing = true;
    await expect(registry.promote(all, promotion(1, null), inRun('run-1'))).rejects.toThrow('the connection broke');
    failing = false;
    await registry.promote(all, promotion(1, null), inRun('run-1'));
    expect(await registry.state(all)).toMatchObject({ champion: 1, entries: 2 });
  });
});

test('a verdict stays with its version, and the same one twice is one entry', async () => {
  await withVersions(2);
  const worse = { version: 2, verdict: verdict('worse'), against: 1 };
  await registry.judged(all, worse, inRun('run-2'));
  await registry.judged(all, worse, inRun('run-2'));
  await registry.judged(all, { ...worse, verdict: verdict('better') }, inRun('run-3'));
  expect((await registry.state(all)).versions.map((it) => it.verdict?.name)).toEqual([undefined, 'better']);
  expect(await registry.entries(all)).toHaveLength(4);
  await expect(registry.judged(all, { ...worse, version: 9 }, person)).rejects.toMatchObject({ code: 'VersionUnknown' });
});

test('apply keeps the last spec, and the same spec twice is one entry', async () => {
  await registry.apply('movie-recommender', artifact('spec', 'one'), person);
  await registry.apply('movie-recommender', artifact('spec', 'one'), person);
  const state = await registry.apply('movie-recommender', artifact('spec', 'two'), person);
  expect(state).toMatchObject({ segment: 'all', entries: 2, applied: { by: 'ada', spec: artifact('spec', 'two') } });
});

test('the champions of a log tell their time, who made them and why', async () => {
  await withVersions(2);
  await registry.promote(all, promotion(1, null), inRun('run-1'));
  await registry.promote(all, promotion(2, 1), person);
  const [first, second] = reigns(await registry.entries(all));
  expect(first).toMatchObject({ version: 1, by: 'demo', run: { runId: 'run-1' }, reason: 'it is better', until: second!.from });
  expect(second).toMatchObject({ version: 2, by: 'ada', run: null, entry: 4 });
  expect(second).not.toHaveProperty('until');
  await registry.retire(all, { version: 2, reason: 'recall' }, person);
  expect(reigns(await registry.entries(all))[1]).toHaveProperty('until');
  expect(await registry.state(all)).toMatchObject({ champion: null });
});

describe('a reference', () => {
  test.each([
    ['top-movies', { model: 'top-movies', segment: 'all', at: 'champion' }],
    ['top-movies@3', { model: 'top-movies', segment: 'all', at: 3 }],
    ['top-movies/month=10@previous', { model: 'top-movies', segment: 'month=10', at: 'previous' }],
    ['top-movies/month=10@champion', { model: 'top-movies', segment: 'month=10', at: 'champion' }],
  ])('%s is read', (text, reference) => expect(parseReference(text)).toEqual(reference));

  test.each(['', '@3', 'a@', 'a/@1', 'a@latest', 'A', 'a/b/c', 'a@-1'])('"%s" is refused', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'RequestInvalid' }));
  });

  test('finds a version by number, champion and previous, in any segment', async () => {
    await withVersions(2);
    await withVersions(1, october);
    await registry.promote(all, promotion(1, null), person);
    await registry.promote(all, promotion(2, 1), person);
    expect(await registry.version('movie-recommender')).toMatchObject({ reference: 'movie-recommender/all@2', version: { version: 2 } });
    expect((await registry.version('movie-recommender@previous')).reference).toBe('movie-recommender/all@1');
    expect((await registry.version('movie-recommender/month=10@1')).reference).toBe('movie-recommender/month=10@1');
  });

  test.each([
    ['movie-recomender', 'ModelUnknown', /did you mean "movie-recommender"/],
    ['movie-recommender/month=11', 'ModelUnknown', /no segment "month=11", but all, month=10/],
    ['movie-recommender@9', 'VersionUnknown', /has versions 1 to 1/],
    ['movie-recommender/month=10', 'VersionUnknown', /none is champion/],
  ])('"%s" that names nothing says what there is', async (reference, code, message) => {
    await withVersions(1);
    await withVersions(1, october);
    await expect(registry.version(reference)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

test('models and segments are those that have a log', async () => {
  expect(await registry.models()).toEqual([]);
  await withVersions(1);
  await withVersions(1, october);
  await withVersions(1, { model: 'movie', segment: 'all' });
  await registry.apply('top-movies', artifact('spec', 'top'), person);
  expect(await registry.models()).toEqual(['movie-recommender', 'movie', 'top-movies']);
  expect(await registry.segments('movie-recommender')).toEqual(['all', 'month=10']);
  expect(await registry.state({ model: 'absent', segment: 'all' })).toMatchObject({ entries: 0, champion: null, versions: [] });
});

test('a follower hears of each entry once, from one listing', async () => {
  const follower = registry.follow();
  expect(await follower.changes()).toEqual([]);
  const other = openRegistry(store, blobs);
  await other.register(all, registered('a'), inRun('r1'));
  await other.promote(all, promotion(1, null), inRun('r1'));
  await other.register(october, registered('b'), inRun('r2'));
  const heard = await follower.changes();
  expect(heard).toHaveLength(3);
  expect(heard).toEqual(
    expect.arrayContaining([
      { ...all, n: 1 },
      { ...all, n: 2 },
      { ...october, n: 1 },
    ]),
  );
  expect(await follower.changes()).toEqual([]);
  await other.promote(october, promotion(1, null), person);
  expect(await follower.changes()).toEqual([{ ...october, n: 2 }]);
});
