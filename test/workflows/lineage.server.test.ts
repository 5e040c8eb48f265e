import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LineageNode } from '../../core/lineage.ts';
import { lineageOf } from '../../registry/lineage.ts';
import { openRegistry } from '../../registry/registry.ts';
import { openRunArchive } from '../../registry/runs.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';
import { loadModel } from '../../serving/index.ts';
import { pending, recommender, slow, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
let database: string;

beforeAll(async () => {
  database = await mkdtemp(join(tmpdir(), 'perennial-temporal-'));
  system = await startSystem({ temporal: { dataFolder: database } });
}, 120_000);
afterAll(async () => {
  await system?.close();
  await rm(database, { recursive: true, force: true });
});

/** All that the store can answer, read anew from its files. */
async function answers(catalogue: string) {
  const store = await openStore(system.storeUri);
  const blobs = await openBlobs(store, await mkdtemp(join(system.folder, 'cache-')));
  const registry = openRegistry(store, blobs);
  const archive = openRunArchive(store, blobs);
  const model = await loadModel({ registry, blobs }, { model: 'traced' });
  const { items: recommended } = await model.recommend({ liked: (await model.findItems('a', 3)).map(({ id }) => id), count: 5 });
  await model.release();
  return {
    state: await registry.state({ model: 'traced', segment: 'all' }),
    ofVersion: await lineageOf(store, registry, 'traced@1'),
    ofFile: await lineageOf(store, registry, catalogue),
    runs: (await archive.runs()).map(({ workflowId, runId, outcome, lastEvent, closedAt }) => ({ workflowId, runId, outcome, lastEvent, closedAt })),
    recommended,
  };
}

const contains = (node: LineageNode, wanted: (node: LineageNode) => boolean): boolean =>
  wanted(node) || node.edges.some((edge) => contains(edge.node, wanted));

test('every run is archived, however it ended, and the store alone answers once Temporal and its database are gone', async () => {
  const { client, runs } = system;
  const good = await client.train(recommender('traced'));
  await good.result();
  const broken = await client.train(recommender('traced', { contract: [{ check: 'range', of: 'ratings.rating', max: 1 }] }));
  await broken.result().catch(() => {});
  const [cancelled, terminated] = await Promise.all(
    ['stopped', 'shot'].map(async (name) => {
      const run = await client.train(recommender(name, { train: [slow(300, 100)] }));
      await until('it trains', async () => (await pending(client, run.workflowId)).includes('trainModel'));
      return run;
    }),
  );
  await cancelled!.cancel();
  await cancelled!.result().catch(() => {});
  await client.temporal.workflow.getHandle(terminated!.workflowId).terminate('a test shoots it');

  // What the runs left themselves: all but the one that had no say.
  const before = await Promise.all([good, broken, cancelled!].map(({ runId }) => runs.run(runId)));
  expect(before.map(({ outcome: { status } }) => status)).toEqual(['completed', 'failed', 'cancelled']);
  expect(before.every(({ closedAt }) => closedAt === undefined)).toBe(true);
  await expect(runs.run(terminated!.runId)).rejects.toMatchObject({ code: 'RunUnknown' });

  expect((await (await client.sweepLineage()).result()).archived).toBeGreaterThanOrEqual(4);
  const after = await Promise.all([good, broken, cancelled!, terminated!].map(({ runId }) => runs.run(runId)));
  expect(after.map(({ outcome: { status } }) => status)).toEqual(['completed', 'failed', 'cancelled', 'terminated']);
  expect(after[1]!.outcome.error).toMatchObject({ code: 'ContractBroken' });
  for (const run of after) {
    expect(run.closedAt).toBeDefined();
    const { events } = JSON.parse(Buffer.from(await runs.history(run)).toString('utf8')) as { events: { eventType: string }[] };
    expect(events).toHaveLength(run.lastEvent);
    expect(events.at(-1)!.eventType).toMatch(/^EVENT_TYPE_WORKFLOW_EXECUTION_(COMPLETED|FAILED|CANCELED|TERMINATED)$/);
  }
  // What it archived before is not archived again; its own run, and those that closed since, are new.
  expect((await (await client.sweepLineage()).result()).archived).toBeLessThanOrEqual(2);

  const catalogue = createHash('sha256')
    .update(await readFile(join(system.data, 'movies.csv')))
    .digest('hex');
  const withTemporal = await answers(catalogue);
  const isVersion = (node: LineageNode) => node.type === 'version' && node.reference === 'traced/all@1';
  expect(contains(withTemporal.ofFile.downstream, isVersion)).toBe(true);
  expect(contains(withTemporal.ofVersion.upstream, (node) => 'sha256' in node && node.sha256 === catalogue)).toBe(true);
  expect(withTemporal.recommended).toHaveLength(5);

  await client.close();
  await system.worker.stop();
  await system.temporal.stop();
  await rm(database, { recursive: true });
  expect(await answers(catalogue)).toEqual(withTemporal);
}, 180_000);
