import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { findRun } from '../known-runs.ts';
import { misuse } from '../misuse.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

/** A run cleans up before it ends, within seconds. */
const patienceMs = 30_000;

export function cancelCommand(program: Command): void {
  verb(program, 'cancel <run>', 'stop a run that is open; what it made is kept, and a later run goes on from there', [
    'cancel movie-recommender',
    'cancel train/movie-recommender/month=10',
  ]).action((run: string, flags: VerbOptions) => perform(flags, (at) => cancel(at, run)));
}

async function cancel(at: Workplace, text: string): Promise<void> {
  const { client } = await at.temporal();
  const { workflowId, runId, status } = await findRun(at, text);
  if (status !== 'running') throw misuse(`${workflowId} (${runId}) is not open but ${status}: there is nothing to cancel`);
  const handle = client.temporal.workflow.getHandle(workflowId, runId);
  await handle.cancel();
  const after = await untilClosed(async () => (await handle.describe()).status.name);
  at.out.result({ workflowId, runId, status: after }, () => `${workflowId} is ${after}`);
}

/** The status in the end; `stopping` where that takes longer than anybody waits. */
async function untilClosed(status: () => Promise<string>): Promise<string> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(200)) {
    const now = await status();
    if (now !== 'RUNNING') return now.toLowerCase();
  }
  return 'stopping';
}
