import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Lineage } from '../../core/lineage.ts';
import { random as seeded } from '../../core/random.ts';
import { indexedExplanation } from '../../lineage/indexed-explanation.ts';
import { indexedLineage } from '../../lineage/indexed-lineage.ts';
import { openLineageIndex } from '../../lineage/lineage-index.ts';
import { madeWithInputs } from '../../lineage/made-with-inputs.ts';
import { readManifest, settleManifest } from '../../lineage/manifest.ts';
import { mergedWith } from '../../lineage/segments.ts';
import type { Segment } from '../../lineage/segments.ts';
import { explainRun } from '../../registry/explain-run.ts';
import { lineageOf } from '../../registry/lineage.ts';
import { readMade } from '../../stores/artifact-store.ts';
import { blobKey } from '../../stores/blobs.ts';
import { announcedRecords } from '../../stores/lineage-feed.ts';
import type { Key } from '../../stores/object-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';
import { growRandomly, openStoreWithLineage } from './random-store.ts';
import type { StoreWithLineage } from './random-store.ts';

const call = { signal: new AbortController().signal, heartbeat: () => {} };
let requests: string[] = [];
let at: StoreWithLineage<ReturnType<typeof createStoreInMemory>>;

beforeEach(async () => {
  at = await openStoreWithLineage(createStoreInMemory((what, key) => void requests.push(`${what} ${key}`)));
});
afterEach(() => at.close());

const runs = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** Versions, artifacts and foreign files, asked both ways: about so many. */
async function expectSameAnswers(count = 10): Promise<void> {
  const made = await readMade(at.store);
  const versions = (await Promise.all((await at.registry.heights()).map(async (place) => [place, await at.registry.state(place)] as const))).flatMap(
    ([{ model, segment }, { versions: all }]) => all.map(({ version }) => `${model}/${segment}@${version}`),
  );
  const outside = made.flatMap(({ provenance, notes }) => [provenance.inputs['outside']!, String(notes['file']).slice(0, 12)]);
  const all = [...new Set([...outside, ...versions, ...made.map(({ artifact }) => artifact.sha256)])];
  for (const subject of all.filter((_, index) => index % Math.ceil(all.length / count) === 0)) {
    expect([subject, await ask(subject)]).toEqual([subject, await lineageOf(at.store, at.registry, subject)]);
  }
  expect(await at.index.runs()).toEqual(await at.archive.runs());
  for (const runId of ['run-0', 'run-3']) {
    expect(await indexedExplanation(at.index, at.store, runId)).toEqual(await explainRun(at.store, runId));
  }
}

async function ask(subject: string): Promise<Lineage> {
  const { from: _, ...answer } = await indexedLineage(at.index, { registry: at.registry, store: at.store.uri }, subject);
  return answer;
}

const withoutDays = (keys: readonly Key[]): readonly string[] => keys.filter((key) => !key.startsWith('lineage-feed/'));

describe('answers with an index are those of a scan', () => {
  test.each([1, 2, 3])(
    'on random graphs, whatever part of them is indexed (seed %i)',
    async (seed) => {
      const { next } = seeded(seed);
      await growRandomly(at, next, runs(0, 4));
      await expectSameAnswers(5);
      await at.index.extend(call);
      await growRandomly(at, next, runs(4, 7));
      await expectSameAnswers();
      await at.index.extend(call);
      await expectSameAnswers();
    },
    60_000,
  );

  test('when it is deleted or damaged, and the next sweep builds it anew', async () => {
    await growRandomly(at, seeded(4).next, runs(0, 4));
    await at.index.extend(call);
    const { manifest } = await readManifest(at.store);
    const digest = manifest!.segments[0]!.tables.sources!.sha256;
    at.store.objects.get(blobKey(digest))![100]! ^= 1;
    await rm(join(at.folder, 'cache'), { recursive: true });
    await mkdir(join(at.folder, 'cache'));
    await expectSameAnswers(5);
    expect((await at.index.extend(call)).records).toBeGreaterThan(0);
    expect((await readManifest(at.store)).manifest!.segments).toEqual(manifest!.segments);
    await expectSameAnswers(5);

    for (const each of await keysOf(at.store, 'index/')) await at.store.remove(each);
    await expectSameAnswers(5);
    await at.index.extend(call);
    expect((await readManifest(at.store)).manifest!.segments).toEqual(manifest!.segments);
  }, 60_000);

  test('when two workers extend it at the same time', async () => {
    await growRandomly(at, seeded(5).next, runs(0, 4));
    const other = openLineageIndex({ ...at, folder: join(at.folder, 'other') });
    await Promise.all([at.index.extend(call), other.extend(call)]);
    await growRandomly(at, seeded(6).next, runs(4, 6));
    await Promise.all([at.index.extend(call), other.extend(call)]);
    await expectSameAnswers();
  }, 60_000);

  test('for a record that its writer could not announce, once all are listed again', async () => {
    await growRandomly(at, seeded(7).next, runs(0, 2));
    await at.index.extend(call);
    await growRandomly(at, seeded(8).next, runs(2, 4));
    for (const hint of await keysOf(at.store, 'lineage-feed/')) await at.store.remove(hint);
    const { manifest, next } = await readManifest(at.store);
    await settleManifest(at.store, { ...manifest!, n: next, listedAt: '2020-01-01T00:00:00.000Z' });
    await at.index.extend(call);
    await expectSameAnswers();
  }, 60_000);
});

test('a question reads the index and what is newer, and no record that is indexed', async () => {
  await growRandomly(at, seeded(9).next, runs(0, 6));
  await at.index.extend(call);
  expect(await keysOf(at.store, 'lineage-feed/')).toEqual([]);
  requests = [];
  await ask('model-0@1');
  expect(requests.filter((request) => /^(read|list) (made|used|runs)/.test(request))).toEqual([]);

  await growRandomly(at, seeded(10).next, runs(6, 7));
  const hints = await announcedRecords(at.store);
  requests = [];
  await ask('model-0@1');
  expect(requests.filter((request) => /^(read|list) (made|used|runs)/.test(request))).toEqual(hints.map(({ record }) => `read ${record}`));
});

test('what made artifacts and their inputs is what a scan finds of them, and no indexed record is read for it', async () => {
  await growRandomly(at, seeded(1).next, runs(0, 4));
  await at.index.extend(call);
  const made = await readMade(at.store);
  const digests = made.slice(-2).map(({ artifact }) => artifact.sha256);
  const asked = made.filter(({ artifact }) => digests.includes(artifact.sha256));
  const wanted = new Set([...digests, ...asked.flatMap(({ provenance }) => Object.values(provenance.inputs))]);
  requests = [];
  expect(await madeWithInputs(at.index, digests)).toEqual(made.filter(({ artifact }) => wanted.has(artifact.sha256)));
  expect(requests.filter((request) => /^(read|list) made/.test(request))).toEqual([]);
  expect(await madeWithInputs(at.index, ['0'.repeat(64)])).toEqual([]);
});

test('what is extended by nothing is not written again, and only the last two manifests are kept', async () => {
  await growRandomly(at, seeded(11).next, runs(0, 1));
  for (const more of runs(1, 5)) {
    await at.index.extend(call);
    await growRandomly(at, seeded(more).next, [more]);
  }
  await at.index.extend(call);
  const keys = withoutDays([...at.store.objects.keys()].sort() as Key[]);
  expect(keys.filter((key) => key.startsWith('index/'))).toEqual(['index/lineage/000000000004.json', 'index/lineage/000000000005.json']);
  requests = [];
  expect(await at.index.extend(call)).toEqual({ records: 0 });
  expect(requests.filter((request) => /^(settle|upload|remove)/.test(request))).toEqual([]);
}, 60_000);

test('segments grow like the digits of a binary number: few of them, and each row is written again but a few times', () => {
  let segments: Segment[] = [];
  let written = 0;
  for (let n = 0; n < 5000; n++) {
    const from = mergedWith(segments, 1);
    const rows = segments.slice(from).reduce((sum, segment) => sum + segment.rows, 1);
    segments = [...segments.slice(0, from), { rows, tables: {} }];
    written += rows;
  }
  expect(segments.length).toBeLessThanOrEqual(Math.log2(5000));
  expect(written / 5000).toBeLessThanOrEqual(Math.log2(5000));
});
