import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compiled } from '../../workers/compiled.ts';
import { loadOwnSteps } from '../../workers/own-steps.ts';
import { ease, recommender, startSystem, until } from '../workflows/harness.ts';
import type { TestSystem, TestWorker } from '../workflows/harness.ts';

const stepModules = [compiled('test/workers/project/greet.steps')];
const project = { workflowModules: [compiled('test/workers/project/greet-all.workflow')], stepModules };

let system: TestSystem;
let [compute, gpu]: TestWorker[] = [];

beforeAll(async () => {
  system = await startSystem({ worker: { roles: ['control'], ...project } });
  [compute, gpu] = [system.another({ roles: ['compute'], ...project }), system.another({ roles: ['gpu'], ...project })];
  await Promise.all([compute!.start(), gpu!.start()]);
}, 120_000);
afterAll(async () => system?.close());

/** Process ids and types of the steps that a run's history tells of. */
async function stepsBy(workflowId: string): Promise<readonly { readonly step: string; readonly pid: number }[]> {
  const { events } = await system.client.temporal.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = new Map(
    (events ?? []).map((event) => [String(event.eventId), event.activityTaskScheduledEventAttributes?.activityType?.name ?? '']),
  );
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started ? [{ step: scheduled.get(String(started.scheduledEventId))!, pid: Number(started.identity!.split('@')[0]) }] : [],
  );
}

test("a worker does the steps of its roles, and no others: trainings run on compute's process, decisions on control's", async () => {
  const run = await system.client.train(recommender('by-roles', { train: [ease] }));
  expect(await run.result()).toMatchObject({ outcome: 'promoted' });
  const done = await stepsBy(run.workflowId);
  const pidsOf = (step: string) => [...new Set(done.filter((each) => each.step === step).map(({ pid }) => pid))];
  expect(pidsOf('trainModel')).toEqual([compute!.pid()]);
  expect(pidsOf('judge')).toEqual([system.worker.pid()]);
  expect(new Set(done.map(({ pid }) => pid))).toEqual(new Set([system.worker.pid(), compute!.pid()]));
}, 120_000);

describe("a project's own steps", () => {
  test('are called typed from its workflow, on the queue that it names, or at once where they are light', async () => {
    const run = await system.client.run('greetAll', { name: 'Ada' }, 'greet/ada');
    expect(await run.result()).toEqual({
      greeting: 'Hello Ada, from greetAll',
      here: system.worker.pid(),
      there: gpu!.pid(),
      counted: 3,
    });
    const { events } = await system.client.temporal.workflow.getHandle('greet/ada').fetchHistory();
    expect(events?.filter((event) => event.markerRecordedEventAttributes)).toHaveLength(1);
  });

  test('leave a record of their run like ours', async () => {
    const { runId } = await system.client.temporal.workflow.getHandle('greet/ada').describe();
    expect(await until('the run is archived', () => system.runs.find(runId))).toMatchObject({
      workflowType: 'greetAll',
      outcome: { status: 'completed' },
    });
  });

  test('are refused where their name is taken', async () => {
    await expect(loadOwnSteps(stepModules, ['greet'])).rejects.toMatchObject({
      code: 'DuplicateName',
      message: expect.stringContaining('"greet"'),
    });
    await expect(loadOwnSteps([...stepModules, ...stepModules], [])).rejects.toMatchObject({ code: 'DuplicateName' });
  });
});
