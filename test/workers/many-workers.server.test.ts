import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../client/client.ts';
import type { TrainOutcome } from '../../core/run.ts';
import { compiled } from '../../workers/compiled.ts';
import { recommender, slow, startSystem, until } from '../workflows/harness.ts';
import type { TestSystem, TestWorker } from '../workflows/harness.ts';

type Registered = Extract<TrainOutcome, { package: unknown }>;

let [system, calm]: TestSystem[] = [];
let second: TestWorker;

beforeAll(async () => {
  system = await startSystem({ computeSlots: 1 });
  calm = await startSystem({ computeSlots: 1, data: system.data });
  second = system.another();
  await second.start();
}, 240_000);
afterAll(async () => {
  await system?.close();
  await calm?.close();
});

/** Temporal's number of the state. */
const started = 2;
const timeOf = (time: { seconds?: unknown; nanos?: number | null } | null | undefined) => Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9;

/** The training that a run waits for, as the server knows it. */
async function training(workflowId: string) {
  const { raw } = await system!.client.temporal.workflow.getHandle(workflowId).describe();
  const found = (raw.pendingActivities ?? []).find(({ activityType }) => activityType?.name === 'trainModel');
  if (found === undefined) return undefined;
  const { done = 0 } = JSON.parse(Buffer.from(found.heartbeatDetails?.payloads?.[0]?.data ?? '{}').toString()) as { readonly done?: number };
  const pid = Number(found.lastWorkerIdentity?.split('@')[0]);
  // Until it is started and has given its first heartbeat, an attempt shows what the one before it said.
  const said = found.state === started && timeOf(found.lastHeartbeatTime) > timeOf(found.lastStartedTime);
  return { attempt: found.attempt!, pid, done, said, failure: found.lastFailure };
}

test('two worker processes share the trainings of one run, which comes out byte for byte the same', async () => {
  const spec = recommender('shared', { train: [slow(60), slow(70), slow(80), slow(90)] });
  const [run, alone] = await Promise.all([system!.client.train(spec), calm!.client.train(spec)]);
  const outcome = (await run.result()) as Registered;
  const { events } = await system!.client.temporal.workflow.getHandle(run.workflowId).fetchHistory();
  const trainings = new Set(
    events?.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'trainModel').map(({ eventId }) => String(eventId)),
  );
  const workers = events?.flatMap(({ activityTaskStartedEventAttributes: began }) =>
    began && trainings.has(String(began.scheduledEventId)) ? [Number(began.identity!.split('@')[0])] : [],
  );
  expect(new Set(workers)).toEqual(new Set([system!.worker.pid(), second.pid()]));
  expect(outcome.package.sha256).toBe(((await alone.result()) as Registered).package.sha256);
}, 240_000);

test('a worker that is told to stop hands its training back, and another goes on from the checkpoint: not from zero, and to the same bytes', async () => {
  const spec = recommender('handed-back', { train: [slow(300, 12)], refit: 'none' });
  const alone = calm!.client.train(spec);
  const run = await system!.client.train(spec);
  const before = await until('it is in mid-training', async () => {
    const now = await training(run.workflowId);
    return now !== undefined && now.done >= 4 && now;
  });
  const stopped = [system!.worker, second].find((worker) => worker.pid() === before.pid)!;
  const stopping = stopped.stop();
  const after = await until('another goes on', async () => {
    const now = await training(run.workflowId);
    return now !== undefined && now.attempt > before.attempt && now.said && now.done > 0 && now;
  });
  await stopping;
  expect(after.pid).not.toBe(before.pid);
  expect(after.done).toBeGreaterThanOrEqual(3);
  expect(after.failure?.timeoutFailureInfo).toBeFalsy();
  const outcome = (await run.result()) as Registered;
  expect(outcome.package.sha256).toBe(((await (await alone).result()) as Registered).package.sha256);
  await stopped.start();
}, 240_000);

test('with a deployment an open run stays with the build that started it, and new runs go to the new one', async () => {
  const taskQueue = 'versioned';
  const modules = ['wait-and-tell', 'greet-all'].map((name) => compiled(`test/workers/project/${name}.workflow`));
  const stepModules = [compiled('test/workers/project/greet.steps')];
  const build = (workflowModules: readonly string[], makeCurrent: boolean) =>
    system!.another({ taskQueue, deployment: 'films', workflowModules, stepModules, makeCurrent });
  // The first makes itself current, since none is; whoever comes later has to be told to.
  const [old, unasked, fresh] = [build(modules.slice(0, 1), false), build(modules, false), build(modules, true)];
  const { address, namespace } = system!.temporal;
  const client = await connect({ address, namespace, taskQueue });
  const tell = async (workflowId: string) => {
    const handle = await client.run<number>('waitAndTell', {}, workflowId);
    const isTold = handle.result();
    return { goOn: () => client.temporal.workflow.getHandle(workflowId).signal('goOn'), result: () => isTold };
  };
  const askedOnce = async (workflowId: string) => {
    const { goOn, result } = await tell(workflowId);
    await goOn();
    return result();
  };

  await old.start();
  const open = await tell('open');
  await until('the old build has begun it', async () => (await client.temporal.workflow.getHandle('open').describe()).historyLength > 3);
  await unasked.start();
  expect(await askedOnce('still-old')).toBe(old.pid());
  await fresh.start();
  expect([unasked.pid(), fresh.pid()]).toContain(await askedOnce('new'));
  await open.goOn();
  expect(await open.result()).toBe(old.pid());
  await client.close();
}, 240_000);
