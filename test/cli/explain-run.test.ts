import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Artifact, ArtifactKind, Json, Provenance, Run } from '../../core/artifact.ts';
import { explainRun } from '../../registry/explain-run.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import type { ArtifactStore } from '../../stores/artifact-store.ts';
import { openBlobs } from '../../stores/blobs.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { produce } from '../../stores/produce.ts';

let folder: string;
let store: ObjectStore;
let artifacts: ArtifactStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-explain-'));
  store = await openStore(join(folder, 'store'));
  artifacts = openArtifactStore(store, await openBlobs(store, join(folder, 'blobs')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (runId: string): Run => ({ workflowId: 'train/films/all', runId, workflowType: 'train' });

/** A step whose content follows from its provenance, as a real one's does. */
async function step<K extends ArtifactKind>(by: Run, kind: K, name: string, inputs: Record<string, Artifact>, parameters: Json, code = 'c1') {
  const provenance: Provenance = {
    step: name,
    code,
    inputs: Object.fromEntries(Object.entries(inputs).map(([input, { sha256 }]) => [input, sha256])),
    parameters,
    environment: {},
  };
  return produce(artifacts, kind, provenance, by, async () => {
    const path = join(folder, 'made');
    await writeFile(path, `${kind} ${JSON.stringify(provenance)}`);
    return { path, mediaType: 'application/json' };
  });
}

/** Rows, a model for each of `l2`, and the evaluation of the first. */
async function train(runId: string, { l2, sql = 'SELECT 1', code }: { l2: readonly number[]; sql?: string; code?: string }) {
  const rows = await step(run(runId), 'rows', 'buildRows', {}, { sql });
  const models = [];
  for (const each of l2) models.push(await step(run(runId), 'model', 'trainModel', { rows }, { trainer: 'ease', l2: each }, code));
  await step(run(runId), 'evaluation', 'evaluateModel', { model: models[0]! }, {});
}

const told = async (runId: string) => (await explainRun(store, runId)).steps.map(({ step: name, how }) => `${name} ${how}`);

test('the first run made everything, and nothing is near it', async () => {
  await train('run-1', { l2: [100, 300] });
  const { run: of, steps } = await explainRun(store, 'run-1');
  expect(of).toEqual(run('run-1'));
  expect(steps.map(({ step: name, how, nearest }) => [name, how, nearest])).toEqual([
    ['buildRows', 'made', undefined],
    ['trainModel', 'made', undefined],
    ['trainModel', 'made', undefined],
    ['evaluateModel', 'made', undefined],
  ]);
});

test('a second run with nothing changed made nothing, and says whose artifacts it has', async () => {
  await train('run-1', { l2: [100] });
  await train('run-2', { l2: [100] });
  const { steps } = await explainRun(store, 'run-2');
  expect(steps.map(({ how, by }) => [how, by?.runId])).toEqual([
    ['reused', 'run-1'],
    ['reused', 'run-1'],
    ['reused', 'run-1'],
  ]);
});

test('one changed parameter is named with its values before and after, and only what depends on it was made', async () => {
  await train('run-1', { l2: [100, 300] });
  await train('run-2', { l2: [200, 300] });
  expect((await told('run-2')).toSorted()).toEqual(['buildRows reused', 'evaluateModel made', 'trainModel made', 'trainModel reused']);
  const { steps } = await explainRun(store, 'run-2');
  const [trained, evaluated] = steps.filter(({ how }) => how === 'made');
  expect(trained?.nearest).toMatchObject({ by: { runId: 'run-1' }, differences: [{ path: 'parameters.l2', after: 200 }] });
  expect(evaluated?.nearest?.differences).toEqual([
    expect.objectContaining({ path: 'inputs.model', after: trained!.artifacts[0]!.sha256, madeBy: 'trainModel', madeHere: true }),
  ]);
});

test('changed code is named, and an input of another run is told from one that was made here', async () => {
  await train('run-1', { l2: [100] });
  await train('run-2', { l2: [100], sql: 'SELECT 2' });
  await train('run-3', { l2: [100], sql: 'SELECT 2', code: 'c2' });
  const { steps } = await explainRun(store, 'run-3');
  const trained = steps.find(({ step: name }) => name === 'trainModel');
  expect(trained?.nearest).toMatchObject({ by: { runId: 'run-2' }, differences: [{ path: 'code', before: 'c1', after: 'c2' }] });
});

test('a run is explained by what was there before it: later runs change nothing, and its own calls do not count', async () => {
  await train('run-1', { l2: [100] });
  await train('run-2', { l2: [200, 210] });
  const before = await explainRun(store, 'run-2');
  await train('run-3', { l2: [205], sql: 'SELECT 3' });
  await train('run-4', { l2: [205] });
  expect(await explainRun(store, 'run-2')).toEqual(before);
  const nearest = before.steps.filter(({ step: name }) => name === 'trainModel').map((each) => each.nearest?.by.runId);
  expect(nearest).toEqual(['run-1', 'run-1']);
});

test('a run that left nothing in the store is unknown', async () => {
  await expect(explainRun(store, 'run-9')).rejects.toMatchObject({ code: 'RunUnknown' });
});
