import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '../../client/index.ts';
import type { PerennialClient } from '../../client/index.ts';
import type { TemporalServer } from '../../workers/temporal-server.ts';
import { trainStart } from '../../workflows/train-start.ts';
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

/** Answers one workflow task as a worker would: the run goes on as another one. */
async function continueAsNew(workflowType: string): Promise<void> {
  const { workflowService } = client.temporal;
  const taskQueue = { name: client.taskQueue };
  const poll = () => workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue });
  const { taskToken } = await client.temporal.withDeadline(Date.now() + 20_000, poll);
  const continueAsNewWorkflowExecutionCommandAttributes = { workflowType: { name: workflowType }, taskQueue };
  const commands = [{ commandType: 10, continueAsNewWorkflowExecutionCommandAttributes }];
  await workflowService.respondWorkflowTaskCompleted({ namespace: 'default', taskToken, commands });
}

// No worker runs: what is started stays open.
describe('a training that a schedule started', () => {
  test('is joined by a request for the same, and is not taken for another', async () => {
    const spec = recommender('nightly');
    const { runId } = await client.temporal.workflow
      .start('train', { ...trainStart({ spec, segment: 'all', trigger: 'schedule', by: 'schedule' }), taskQueue: client.taskQueue })
      .then(({ workflowId }) => client.temporal.workflow.getHandle(workflowId).describe());
    expect((await client.train(spec, { by: 'ada' })).runId).toBe(runId);
    await expect(client.train(recommender('nightly', { refit: 'none' }))).rejects.toMatchObject({ code: 'RunInProgress', facts: { runId } });
    await expect(client.train(spec, { window: { from: '2024-01-01', to: '2024-02-01' } })).rejects.toMatchObject({ code: 'RunInProgress' });
    await client.temporal.workflow.getHandle('train/nightly/all').terminate();
  });
});

describe('a run that continued as new', () => {
  test('is cancelled by the handle that it began with', async () => {
    const run = await client.retrain('films');
    await continueAsNew('retrain');
    const newest = client.temporal.workflow.getHandle('retrain/films');
    expect((await newest.describe()).runId).not.toBe(run.runId);
    await run.cancel();
    const { raw } = await newest.describe();
    expect(raw.workflowExtendedInfo?.cancelRequested).toBe(true);
    await newest.terminate();
  });

  test('is not taken for a later run of the same name', async () => {
    const run = await client.retrain('songs');
    await client.temporal.workflow.getHandle('retrain/songs').terminate();
    const later = await client.retrain('songs');
    await expect(run.cancel()).rejects.toThrow();
    const { raw } = await client.temporal.workflow.getHandle('retrain/songs', later.runId).describe();
    expect(raw.workflowExtendedInfo?.cancelRequested).toBe(false);
  });
});
