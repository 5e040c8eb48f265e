import { setTimeout as sleep } from 'node:timers/promises';
import { workflowId as idOf } from '../../core/ids.ts';
import { awaited, resolveVersion } from '../../core/registry.ts';
import type { TrainOutcome } from '../../core/run.ts';
import type { Chain, Training } from './inputs.ts';
import type { Plant } from './plant.ts';

export interface Ended {
  readonly training: Training;
  readonly workflowId: string;
  readonly runId: string;
  readonly outcome: TrainOutcome;
  readonly seconds: number;
}

/** How long a run may take before it counts as stuck: kills cost it a heartbeat's timeout each. */
const runWithinMs = 20 * 60_000;

type Followed = Pick<Plant, 'client' | 'registry'>;

export interface FollowOptions {
  readonly onEnd?: (run: Ended) => void;
  /** Between the beginnings of two chains: runs in step with each other would all lose the same step to a kill. */
  readonly pauseMs?: number;
}

/** Runs all chains side by side and each in its order, and approves what awaits it. @throws if a run does not end, or fails. */
export async function followPlan(
  plant: Followed,
  plan: readonly Chain[],
  { onEnd = () => {}, pauseMs = 0 }: FollowOptions = {},
): Promise<readonly Ended[]> {
  const followed = plan.map(async (chain, at) => {
    await sleep(at * pauseMs);
    const ended: Ended[] = [];
    for (const training of chain) {
      const run = await follow(plant, training);
      onEnd(run);
      ended.push(run);
    }
    return ended;
  });
  return (await Promise.all(followed)).flat();
}

async function follow(plant: Followed, training: Training): Promise<Ended> {
  const { client } = plant;
  const began = performance.now();
  const deadline = began + runWithinMs;
  const { spec, segment } = training;
  const { workflowId, runId } = await persist(deadline, `${spec.name}/${segment} to start`, () => client.train(spec, { segment, by: 'chaos' }));
  const handle = client.temporal.workflow.getHandle(workflowId, runId);
  await persist(deadline, `${workflowId} to end`, async () => {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') throw new Error('it runs still');
  });
  // It has ended: what is thrown now is its failure, if Temporal is there to say it.
  const outcome = (await persist(deadline, `${workflowId} to tell its result`, async () => {
    const { status } = await handle.describe();
    return status.name === 'COMPLETED' ? handle.result() : { failed: status.name };
  })) as TrainOutcome | { readonly failed: string };
  if ('failed' in outcome) throw new Error(`${workflowId} (${runId}, dataset ${training.dataset}) ended as ${outcome.failed}`);
  if (outcome.outcome === 'awaiting-decision') await approve(plant, outcome, deadline);
  return { training, workflowId, runId, outcome, seconds: (performance.now() - began) / 1000 };
}

/** Approves a version, once however often it is said, and waits until that was carried out. */
async function approve({ client, registry }: Followed, { model, segment, version }: Awaiting, deadline: number): Promise<void> {
  const id = idOf.decide(model, segment, version);
  await persist(deadline, `${id} to bring what is approved`, async () => {
    const state = await registry.state({ model, segment });
    const found = resolveVersion(state, version)!;
    if (found.ruling === undefined) await client.approve(awaited(state, found), { by: 'chaos', reason: 'it is a rehearsal' });
    const { status } = await client.temporal.workflow.getHandle(id).describe();
    if (status.name === 'RUNNING') throw new Error('it waits still');
    if (status.name !== 'COMPLETED') throw new Error(`it ended as ${status.name}`);
  });
}

interface Awaiting {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
}

/** Asks again while the server is away. */
async function persist<T>(deadline: number, what: string, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`waited in vain for ${what}: ${String(error)}`, { cause: error });
      await sleep(250);
    }
  }
}
