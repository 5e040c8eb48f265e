import { setTimeout as sleep } from 'node:timers/promises';
import type { PerennialClient } from '../../client/index.ts';
import type { TrainOutcome } from '../../core/run.ts';
import type { Chain, Training } from './inputs.ts';

export interface Ended {
  readonly training: Training;
  readonly workflowId: string;
  readonly runId: string;
  readonly outcome: TrainOutcome;
  readonly seconds: number;
}

/** How long a run may take before it counts as stuck: kills cost it a heartbeat's timeout each. */
const runWithinMs = 10 * 60_000;

/** Runs all chains side by side and each in its order. @throws if a run does not end, or fails. */
export async function followPlan(client: PerennialClient, plan: readonly Chain[], onEnd: (run: Ended) => void = () => {}): Promise<readonly Ended[]> {
  const followed = plan.map(async (chain) => {
    const ended: Ended[] = [];
    for (const training of chain) {
      const run = await follow(client, training);
      onEnd(run);
      ended.push(run);
    }
    return ended;
  });
  return (await Promise.all(followed)).flat();
}

async function follow(client: PerennialClient, training: Training): Promise<Ended> {
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
  return { training, workflowId, runId, outcome, seconds: (performance.now() - began) / 1000 };
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
