import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Artifact, ArtifactKind, Json, Run } from '../../core/artifact.ts';
import type { LineageNode } from '../../core/lineage.ts';
import { formatLineage } from '../../registry/format-lineage.ts';
import { lineageOf, stepsOfRun } from '../../registry/lineage.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { type ArtifactStore, openArtifactStore } from '../../stores/artifact-store.ts';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { produce } from '../../stores/produce.ts';
import { registered } from './samples.ts';

const all = { model: 'movie-recommender', segment: 'all' };
const ratingsFile = sha256('the bytes of ratings.csv');
const observation = sha256('what was observed');

let root: string;
let store: ObjectStore;
let artifacts: ArtifactStore;
let registry: Registry;

/** A small history: two source files, rows, a model and its package; two versions of which the second used the first one's source. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-lineage-'));
  store = await openFolderStore(join(root, 'store'));
  const blobs = await openBlobs(store, join(root, 'cache'));
  artifacts = openArtifactStore(store, blobs);
  registry = openRegistry(store, blobs);
  await train('first', 'run-1');
  await registry.promote(all, { version: 1, expect: null, verdict: 'better', reason: 'beats popularity' }, { by: 'demo', run: runOf('run-1') });
  await train('second', 'run-2');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const runOf = (runId: string): Run => ({ runId, workflowId: 'train/movie-recommender/all', workflowType: 'train' });

async function make<K extends ArtifactKind>(
  kind: K,
  step: string,
  runId: string,
  inputs: Readonly<Record<string, string>>,
  content: string,
  more: { parameters?: Json; notes?: Readonly<Record<string, Json>> } = {},
): Promise<Artifact<K>> {
  const provenance = { step, code: 'c0de', inputs, parameters: more.parameters ?? {}, environment: {} };
  return produce(artifacts, kind, provenance, runOf(runId), async () => {
    const path = join(root, `${runId}-${kind}`);
    await writeFile(path, content);
    return { path, mediaType: 'text/plain', notes: more.notes ?? {} };
  });
}

async function train(name: string, runId: string): Promise<void> {
  const source = await make('source', 'snapshotSource', runId, { observation }, 'ratings as parquet', { notes: { source: { sha256: ratingsFile } } });
  const rows = await make('rows', 'buildRows', runId, { ratings: source.sha256 }, `${name} rows`, { parameters: { window: name } });
  const model = await make('model', 'trainModel', runId, { rows: rows.sha256 }, `${name} model`);
  const files = [
    { path: 'model.onnx', role: 'model', sha256: model.sha256, bytes: model.bytes, mediaType: 'application/onnx' },
    { path: 'card.md', role: 'card', sha256: sha256(`${name} card`), bytes: 10, mediaType: 'text/markdown' },
  ];
  const pack = await make('package', 'composePackage', runId, { model: model.sha256 }, JSON.stringify({ format: 1, files }));
  await registry.register(all, { ...registered(name, pack), seen: { rows, splits: [] } }, { by: 'demo', run: runOf(runId) });
}

const edge = (node: LineageNode, ...path: readonly string[]): LineageNode =>
  path.reduce((at, as) => {
    const found = at.edges.find((it) => it.as === as);
    if (found === undefined) throw new Error(`no edge "${as}", but ${at.edges.map((it) => it.as).join(', ')}`);
    return found.node;
  }, node);

describe('upstream of a version', () => {
  test('is everything down to the source file and the observation, with the runs that made it', async () => {
    const { upstream } = await lineageOf(store, registry, 'movie-recommender@1');
    expect(upstream).toMatchObject({ type: 'version', reference: 'movie-recommender/all@1' });
    const rows = edge(upstream, 'package', 'model', 'rows');
    expect(rows).toMatchObject({ type: 'artifact', artifact: { kind: 'rows' }, by: { runId: 'run-1' } });
    expect(edge(rows, 'ratings', 'notes.source.sha256')).toMatchObject({ type: 'origin', sha256: ratingsFile });
    expect(edge(rows, 'ratings', 'observation')).toMatchObject({ type: 'origin', sha256: observation });
    expect(edge(upstream, 'package', 'card.md')).toMatchObject({ type: 'file', path: 'card.md', sha256: sha256('first card') });
  });

  test('points to the run that made a cached artifact, and tells who used it', async () => {
    const { upstream } = await lineageOf(store, registry, 'movie-recommender@2');
    const source = edge(upstream, 'package', 'model', 'rows', 'ratings');
    expect(source).toMatchObject({ by: { runId: 'run-1' }, usedBy: [{ runId: 'run-2' }] });
  });

  test('of bytes that two runs made tells the story of the run that made this version', async () => {
    const rows = await make('rows', 'buildRows', 'run-3', { ratings: sha256('elsewhere') }, 'first rows');
    const pack = await make('package', 'composePackage', 'run-3', { rows: rows.sha256 }, JSON.stringify({ format: 1, files: [] }));
    await registry.register(all, registered('third', pack), { by: 'demo', run: runOf('run-3') });
    const third = await lineageOf(store, registry, 'movie-recommender@3');
    expect(edge(third.upstream, 'package', 'rows')).toMatchObject({ by: { runId: 'run-3' } });
    const first = await lineageOf(store, registry, 'movie-recommender@1');
    expect(edge(first.upstream, 'package', 'model', 'rows')).toMatchObject({ by: { runId: 'run-1' } });
  });

  test('shows shared content once, and says where it is shown again', async () => {
    const { upstream } = await lineageOf(store, registry, 'movie-recommender@1');
    expect(edge(upstream, 'rows')).toMatchObject({ repeated: true, edges: [] });
  });
});

describe('downstream of a file', () => {
  test('is every artifact, package, version and promotion that it made', async () => {
    const { upstream, downstream } = await lineageOf(store, registry, ratingsFile);
    expect(upstream).toEqual({ type: 'origin', sha256: ratingsFile, edges: [] });
    const source = edge(downstream, 'snapshotSource');
    expect(source.edges.map((it) => it.as)).toEqual(['buildRows', 'buildRows']);
    const version = edge(source, 'buildRows', 'trainModel', 'composePackage', 'package of');
    expect(version).toMatchObject({ type: 'version', reference: 'movie-recommender/all@1' });
    expect(edge(version, 'promotion')).toMatchObject({ type: 'promotion', reign: { version: 1, reason: 'beats popularity', by: 'demo' } });
    const second = edge(source.edges[1]!.node, 'trainModel', 'composePackage', 'package of');
    expect(second).toMatchObject({ reference: 'movie-recommender/all@2', edges: [] });
  });

  test('that is part of a package only leads to its versions', async () => {
    const { downstream } = await lineageOf(store, registry, sha256('second card'));
    expect(edge(downstream, 'package', 'package of')).toMatchObject({ reference: 'movie-recommender/all@2' });
  });
});

test('a digest may be cut to eight digits', async () => {
  const { subject } = await lineageOf(store, registry, ratingsFile.slice(0, 8));
  expect(subject).toBe(ratingsFile);
  await expect(lineageOf(store, registry, 'abcdef0123')).rejects.toMatchObject({ code: 'ArtifactMissing' });
  await expect(lineageOf(store, registry, 'absent-model')).rejects.toMatchObject({ code: 'ModelUnknown' });
});

test('the steps of a run are known by what they left, reused ones included', async () => {
  const steps = await stepsOfRun(store, 'run-2');
  expect(Object.fromEntries(steps.map(({ step, reused }) => [step, reused]))).toEqual({
    snapshotSource: true,
    buildRows: false,
    trainModel: false,
    composePackage: false,
  });
  expect(await stepsOfRun(store, 'absent')).toEqual([]);
});

test('lineage outlives the content: a lost package still has its history', async () => {
  const { version } = await registry.version('movie-recommender@1');
  await store.remove(blobKey(version.package.sha256));
  const { upstream } = await lineageOf(store, registry, 'movie-recommender@1');
  expect(edge(upstream, 'package', 'model', 'rows', 'ratings')).toMatchObject({ type: 'artifact' });
});

test('as text it is two trees', async () => {
  const text = formatLineage(await lineageOf(store, registry, 'movie-recommender@1'));
  const minute = /\d{4}-\d\d-\d\d \d\d:\d\d UTC/g;
  const lines = text
    .replaceAll(minute, 'NOW')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'DIGEST')
    .split('\n');
  expect(lines.slice(0, 8)).toEqual([
    'movie-recommender/all@1, champion, registered NOW by demo in train/movie-recommender/all (run-1)',
    '├─ package: package DIGEST, 325 bytes, made by composePackage NOW in train/movie-recommender/all (run-1)',
    '│  ├─ model: model DIGEST, 11 bytes, made by trainModel NOW in train/movie-recommender/all (run-1)',
    '│  │  └─ rows: rows DIGEST, 10 bytes, made by buildRows NOW in train/movie-recommender/all (run-1)',
    '│  │     └─ ratings: source DIGEST, 18 bytes, made by snapshotSource NOW in train/movie-recommender/all (run-1), used again by 1 run',
    '│  │        ├─ observation: DIGEST, from outside',
    '│  │        └─ notes.source.sha256: DIGEST, from outside',
    '│  └─ card.md: file card.md DIGEST, 10 bytes',
  ]);
  expect(lines.slice(-2)).toEqual([
    'made from it:',
    '└─ promotion: champion from NOW by demo in train/movie-recommender/all (run-1), better: beats popularity',
  ]);
});
