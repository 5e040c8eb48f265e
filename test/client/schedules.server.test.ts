import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applySchedule, connect, keepSweeping, planSchedule } from '../../client/index.ts';
import type { PerennialClient } from '../../client/index.ts';
import type { TemporalServer } from '../../workers/temporal-server.ts';
import { startTestTemporal } from '../support/temporal.ts';
import { recommender } from '../workflows/harness.ts';

let temporal: TemporalServer;
let client: PerennialClient;

beforeAll(async () => {
  temporal = await startTestTemporal();
  client = await connect({ address: temporal.address });
}, 60_000);
afterAll(async () => {
  await client?.close();
  await temporal?.stop();
});

const nightly = recommender('films', { retrain: { cron: '0 3 * * *' } });
const hourly = recommender('films', { retrain: { cron: '0 * * * *', overlap: 'buffer-one', catchUp: '2h' } });

test('a schedule is planned before it is changed, and is created, kept, updated and deleted as the spec says', async () => {
  const apply = async (spec: typeof nightly) => {
    const plan = await planSchedule(client.temporal, client.taskQueue, spec);
    await applySchedule(client.temporal, client.taskQueue, plan);
    return plan.change;
  };
  expect(await apply(recommender('films'))).toBe('none');
  expect(await planSchedule(client.temporal, client.taskQueue, nightly)).toMatchObject({
    change: 'create',
    after: { cron: '0 3 * * *', overlap: 'skip', catchUp: '1d' },
  });
  expect(await apply(nightly)).toBe('create');
  expect(await apply(nightly)).toBe('keep');
  expect(await planSchedule(client.temporal, client.taskQueue, hourly)).toMatchObject({
    change: 'update',
    before: { cron: '0 3 * * *' },
    after: { cron: '0 * * * *' },
  });
  expect(await apply(hourly)).toBe('update');
  const { action, policies } = await client.temporal.schedule.getHandle('retrain/films').describe();
  expect(policies.overlap).toBe('BUFFER_ONE');
  // It holds no spec: what was applied last counts when it fires.
  expect(action).toMatchObject({ workflowType: 'retrain', args: [{ model: 'films' }] });
  // Runs that start where nobody works would wait for ever.
  expect(await planSchedule(client.temporal, 'elsewhere', hourly)).toMatchObject({ change: 'update' });
  expect(await apply(recommender('films'))).toBe('delete');
});

test('closed runs are archived by a schedule, which is there once, however often it is asked for', async () => {
  await keepSweeping(client.temporal, 'before');
  await keepSweeping(client.temporal, client.taskQueue);
  const { action, policies, spec } = await client.temporal.schedule.getHandle('sweep-lineage').describe();
  expect(action).toMatchObject({ workflowType: 'sweepLineage', workflowId: 'sweep-lineage', taskQueue: client.taskQueue });
  expect(policies.overlap).toBe('SKIP');
  expect(spec.intervals).toMatchObject([{ every: 15 * 60_000 }]);
});

test('a server that does not answer is named, with what to do', async () => {
  await expect(connect({ address: '127.0.0.1:1', connectTimeout: '1s' })).rejects.toMatchObject({
    code: 'TemporalUnavailable',
    facts: { address: '127.0.0.1:1' },
  });
});

test('a model that was never trained has no run to attach to', async () => {
  await expect(client.attach('nobody')).rejects.toMatchObject({ code: 'RunUnknown' });
});
