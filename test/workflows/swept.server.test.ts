import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TrainRequest } from '../../core/run.ts';
import type { OpenLineageEvent } from '../../lineage/open-lineage.ts';
import { openLineageIndex } from '../../lineage/lineage-index.ts';
import { readManifest } from '../../lineage/manifest.ts';
import { stepsOfRun } from '../../registry/lineage.ts';
import { openLineageCheck } from '../support/open-lineage.ts';
import { pending, recommender, slow, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
let folder: string;
const check = openLineageCheck();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-events-'));
  system = await startSystem({ openLineage: { file: join(folder, 'events.jsonl') } });
}, 120_000);
afterAll(async () => {
  await system?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A training that would take minutes, with a time-out of its own. */
async function startSlow(name: string, seconds: number) {
  const { workflow } = system.client.temporal;
  const request: TrainRequest = { spec: recommender(name, { train: [slow(300, 100)] }) };
  const run = await workflow.start('train', {
    taskQueue: 'perennial',
    workflowId: `train/${name}/all`,
    args: [request],
    workflowRunTimeout: `${seconds} seconds`,
  });
  await until(`${name} trains`, async () => (await pending(system.client, run.workflowId)).includes('trainModel'));
  return { handle: workflow.getHandle(run.workflowId, run.firstExecutionRunId), runId: run.firstExecutionRunId };
}

const hasEnded = (status: string, { handle }: Awaited<ReturnType<typeof startSlow>>) =>
  until(`the run is ${status}`, async () => (await handle.describe()).status.name === status);

async function eventsOf(runId: string): Promise<string[]> {
  const lines = (await readFile(join(folder, 'events.jsonl'), 'utf8')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as OpenLineageEvent)
    .filter(({ run }) => run.runId === runId)
    .map(({ eventType }) => eventType);
}

test('runs that were terminated, timed out, or lost their worker for good are archived whole, indexed, and announced as ended', async () => {
  const terminated = await startSlow('shot', 600);
  await terminated.handle.terminate('a test shoots it');
  const [timedOut, abandoned] = await Promise.all([startSlow('late', 20), startSlow('left', 25)]);
  await hasEnded('TIMED_OUT', timedOut);
  await system.worker.kill();
  await hasEnded('TIMED_OUT', abandoned);
  const left = [terminated, timedOut, abandoned];
  for (const { runId } of left) expect(await system.runs.find(runId)).toBeUndefined();

  await system.worker.start();
  await (await system.client.sweepLineage()).result();
  const archived = await Promise.all(left.map(({ runId }) => system.runs.run(runId)));
  expect(archived.map(({ outcome }) => outcome.status)).toEqual(['terminated', 'timed-out', 'timed-out']);
  for (const run of archived) {
    expect(run.closedAt).toBeDefined();
    const { events } = JSON.parse(Buffer.from(await system.runs.history(run)).toString('utf8')) as { events: { eventType: string }[] };
    expect(events).toHaveLength(run.lastEvent);
    expect(events.at(-1)!.eventType).toMatch(/^EVENT_TYPE_WORKFLOW_EXECUTION_(TERMINATED|TIMED_OUT)$/);
    // What it had made before it ended is known, too.
    expect((await stepsOfRun(system.store, run.runId)).map(({ step }) => step)).toContain('buildRows');
  }

  // The next sweep finds nothing left of them, and has them in the index.
  await (await system.client.sweepLineage()).result();
  expect((await readManifest(system.store)).manifest!.segments.length).toBeGreaterThan(0);
  const closed = await openLineageIndex({ ...system, folder }).closedRuns();
  expect(left.map(({ runId }) => closed.has(runId))).toEqual([true, true, true]);

  await system.worker.stop();
  expect(await Promise.all(left.map(({ runId }) => eventsOf(runId)))).toEqual([
    ['START', 'ABORT'],
    ['START', 'FAIL'],
    ['START', 'FAIL'],
  ]);
  await system.worker.start();
}, 240_000);

(check === undefined ? test.skip : test)(
  'a training is told in events that OpenLineage’s own schemas take',
  async () => {
    const run = await system.client.train(recommender('told'));
    await run.result();
    await until('its end is told', async () => (await eventsOf(run.runId)).length === 2);
    expect(await eventsOf(run.runId)).toEqual(['START', 'COMPLETE']);
    const lines = (await readFile(join(folder, 'events.jsonl'), 'utf8')).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as OpenLineageEvent);
    expect(events.flatMap((event) => check!(event))).toEqual([]);

    // From the source's file to the package: each step reads what an earlier one wrote.
    const done = events.filter(({ job, eventType }) => job.name.startsWith('train/told/all.') && eventType === 'COMPLETE');
    const step = (name: string) => done.find(({ job }) => job.name.endsWith(`.${name}`))!;
    expect(done.map(({ job }) => job.name)).toEqual(expect.arrayContaining(['train/told/all.buildRows', 'train/told/all.composePackage']));
    const sources = done.filter(({ job }) => job.name.endsWith('.snapshotSource')).flatMap(({ inputs }) => inputs);
    expect(sources).toContainEqual({ namespace: 'catalogue', name: '/movies.csv' });
    const rows = step('buildRows').outputs.find(({ name }) => name.startsWith('rows/'))!.name;
    expect(step('splitRows').inputs.map(({ name }) => name)).toContain(rows);
    expect(step('composePackage').outputs.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^package\//));
  },
  120_000,
);
