import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunHandle } from '../../client/index.ts';
import { reproduce } from '../../workers/reproduce.ts';
import { pending, recommender, slow, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;

beforeAll(async () => {
  // The server suggests to continue as new after 40 events instead of thousands; only `backfill` listens.
  system = await startSystem({ temporal: { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=40'] } });
}, 120_000);
afterAll(async () => system?.close());

const handleOf = ({ workflowId, runId }: Pick<RunHandle<unknown>, 'workflowId' | 'runId'>) =>
  system.client.temporal.workflow.getHandle(workflowId, runId);

const detailsOf = async (run: RunHandle<unknown>) =>
  ((await handleOf(run).query('__temporal_workflow_metadata')) as { currentDetails: string }).currentDetails;

/** How many children a run had at most at the same time. */
async function mostChildren(run: RunHandle<unknown>): Promise<{ readonly started: number; readonly most: number }> {
  const { events } = await handleOf(run).fetchHistory();
  let [now, most, started] = [0, 0, 0];
  for (const event of events!) {
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) [now, started] = [now + 1, started + 1];
    if (event.childWorkflowExecutionCompletedEventAttributes || event.childWorkflowExecutionFailedEventAttributes) now -= 1;
    most = Math.max(most, now);
  }
  return { started, most };
}

const segments = { by: 'month-of-year(ratedAt)', only: [10] } as const;

describe('retrain', () => {
  test('trains every segment of the spec that was applied, and does nothing when nothing is new', async () => {
    await system.apply(recommender('nightly', { segments }));
    const first = await (await system.client.retrain('nightly')).result();
    expect(Object.keys(first.segments)).toEqual(['all', 'month=10']);
    for (const { outcome } of Object.values(first.segments)) expect(['promoted', 'rejected']).toContain(outcome);

    const run = await system.client.retrain('nightly');
    expect(await run.result()).toMatchObject({
      outcome: 'nothing-new',
      segments: { all: { outcome: 'nothing-new', reason: 'All 2 sources are as v1 saw them.' }, 'month=10': { outcome: 'nothing-new' } },
    });
    expect((await mostChildren(run)).started).toBe(0);
    expect((await handleOf(run).describe()).searchAttributes).toMatchObject({ MlModel: ['nightly'], MlOutcome: ['nothing-new'] });
    expect(await detailsOf(run)).toContain('**all**: nothing-new');
  });

  test('does not train for another schedule, but for new data', async () => {
    await system.apply(recommender('nightly', { segments, retrain: { cron: '0 4 * * *' } }));
    expect(await (await system.client.retrain('nightly')).result()).toMatchObject({ outcome: 'nothing-new' });

    const more = join(system.folder, 'more');
    await cp(system.data, more, { recursive: true });
    await appendFile(join(more, 'ratings.csv'), '1,1,4.0,1743379200\n'.replace(/^1,1/, '9999,1'));
    await system.api.replace(join(more, 'ratings.csv'));
    expect(await (await system.client.retrain('nightly')).result()).toMatchObject({ outcome: 'retrained', segments: { all: { version: 2 } } });
  });

  test('leaves a segment alone that is being trained already', async () => {
    const busy = await system.client.train(recommender('nightly', { train: [slow(300, 100)] }));
    await system.apply(recommender('nightly', { train: [{ trainer: 'ease', with: { l2: 300 } }] }));
    expect(await (await system.client.retrain('nightly')).result()).toMatchObject({
      outcome: 'busy',
      segments: { all: { outcome: 'busy' } },
    });
    await busy.cancel();
    await expect(busy.result()).rejects.toMatchObject({ code: 'Cancelled' });
  });

  test('goes on with the other segments when one fails, and then fails itself', async () => {
    await system.apply(recommender('partly', { segments: { ...segments, only: [13, 10] } }));
    const run = await system.client.retrain('partly');
    await expect(run.result()).rejects.toMatchObject({ code: 'RowsInvalid', facts: { failed: ['month=13'] } });
    const { versions } = await system.registry.state({ model: 'partly', segment: 'month=10' });
    expect(versions).toHaveLength(1);
    const details = await detailsOf(run);
    expect(details).toContain('**month=13**: failed. RowsInvalid');
    expect(details).toMatch(/\*\*month=10\*\*: (promoted|rejected)/);
  });

  test('cancels its training when it is cancelled', async () => {
    await system.apply(recommender('stopped', { train: [slow(300, 100)] }));
    const run = await system.client.retrain('stopped');
    await until('it trains', async () =>
      (await pending(system.client, 'train/stopped/all').catch((): readonly string[] => [])).includes('trainModel'),
    );
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ code: 'Cancelled' });
    expect((await system.client.temporal.workflow.getHandle('train/stopped/all').describe()).status.name).toBe('CANCELLED');
  });
});

describe('backfill', () => {
  const half = { from: '2024-01-01', to: '2024-11-15' };
  const year = { from: '2024-01-01', to: '2025-01-01' };
  const never = { from: '2030-01-01', to: '2030-02-01' };

  test('trains windows by segments with a limit, each once, writes down what fails, and goes on', async () => {
    const request = {
      spec: recommender('past', { segments }),
      windows: [half, never, year, half],
      segments: ['all', 'month=10', 'all'],
      concurrency: 1,
    };
    const run = await system.client.backfill(request);
    const { outcome, results } = await run.result();
    expect(outcome).toBe('incomplete');
    expect(results.map(({ segment, window }) => `${segment} ${window!.to}`).toSorted()).toEqual(
      ['all', 'month=10'].flatMap((segment) => [half, year, never].map(({ to }) => `${segment} ${to}`)),
    );
    for (const { window, outcome: each, reason } of results) {
      if (window!.from === never.from) expect(reason).toMatch(/^RowsInvalid: there are no rows/);
      else expect(['promoted', 'rejected', 'unchanged']).toContain(each);
    }
    expect((await mostChildren(run)).most).toBe(1);
  });

  const months = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

  test('of many segments reads the sources once for all of them, and once more when it continues as new', async () => {
    const spec = recommender('many', { segments: { by: 'month-of-year(ratedAt)', only: months } });
    const run = await system.client.backfill({ spec, windows: [null], segments: months.map((month) => `month=${month}`) });
    const { results } = await run.result();
    expect(results.map(({ segment, outcome }) => `${segment} ${outcome}`)).not.toContainEqual(expect.stringMatching(/failed|busy/));
    expect(results).toHaveLength(10);
    expect((await handleOf(run).describe()).status.name).toBe('CONTINUED_AS_NEW');
    const snapshotsOf = async (workflowId: string) => {
      const { events } = await system.client.temporal.workflow.getHandle(workflowId).fetchHistory();
      return events!.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'snapshotSource').length;
    };
    // The last of the backfill's runs, and a training.
    expect([await snapshotsOf('backfill/many'), await snapshotsOf('train/many/month=10')]).toEqual([2, 0]);
    const version = await system.registry.version('many/month=10@1');
    expect(await reproduce({ ...system, version })).toMatchObject({ identical: true });
  }, 240_000);

  test('of many segments whose sources cannot be read for all writes down why each one failed', async () => {
    const spec = recommender('broken', {
      segments: { by: 'month-of-year(ratedAt)', only: months },
      contract: [{ check: 'range', of: 'ratings.rating', max: 1 }],
    });
    const run = await system.client.backfill({ spec, windows: [null], segments: months.map((month) => `month=${month}`), concurrency: 4 });
    const { outcome, results } = await run.result();
    expect(outcome).toBe('incomplete');
    expect(results.map(({ segment }) => segment).toSorted()).toEqual(months.map((month) => `month=${month}`).toSorted());
    for (const each of results)
      expect(each).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/^ContractBroken: the sources of "broken"/) });
  }, 240_000);

  test('refuses a limit that would train nothing', async () => {
    const run = await system.client.backfill({ spec: recommender('past'), windows: [half], segments: ['all'], concurrency: 0 });
    await expect(run.result()).rejects.toMatchObject({ code: 'RequestInvalid' });
  });

  test('of an old window hides no news from the schedule', async () => {
    const spec = recommender('old');
    await system.apply(spec);
    await (await system.client.backfill({ spec, windows: [half], segments: ['all'] })).result();
    expect(await (await system.client.retrain('old')).result()).toMatchObject({ outcome: 'retrained', segments: { all: { version: 2 } } });
    await (await system.client.backfill({ spec, windows: [{ ...half, from: '2024-02-01' }], segments: ['all'] })).result();
    expect(await (await system.client.retrain('old')).result()).toMatchObject({ segments: { all: { reason: 'All 2 sources are as v2 saw them.' } } });
  });

  test('goes on from a cursor', async () => {
    const done = [{ segment: 'all', window: half, outcome: 'promoted', version: 1 }];
    const run = await system.client.backfill({ spec: recommender('resumed'), windows: [half, year], segments: ['all'], cursor: { done } });
    const { outcome, results } = await run.result();
    expect(outcome).toBe('completed');
    expect(results).toMatchObject([done[0]!, { segment: 'all', window: year, version: 1 }]);
    expect((await mostChildren(run)).started).toBe(1);
  });

  test('continues as new when its history grows, drained, and loses no result', async () => {
    const windows = [3, 4, 5, 6].map((month) => ({ from: '2024-01-01', to: `2024-0${month}-01` }));
    const run = await system.client.backfill({ spec: recommender('long', { segments }), windows, segments: ['all', 'month=2'] });
    const { results } = await run.result();
    expect(results).toHaveLength(8);
    expect((await handleOf(run).describe()).status.name).toBe('CONTINUED_AS_NEW');
    expect((await system.runs.run(run.runId)).outcome.status).toBe('continued');
    expect((await mostChildren(run)).most).toBeLessThanOrEqual(2);
  });
});
