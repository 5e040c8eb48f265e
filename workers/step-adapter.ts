import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { MlError } from '../core/errors.ts';
import { asFailure } from '../workflows/coded-error.ts';
import type { Step } from '../activities/ports.ts';
import type { Progress } from '../core/step-context.ts';

type Activity = (input: unknown) => Promise<unknown>;

/** The only code that knows both a step and Temporal: it gives a step its context, and turns a coded error into Temporal's form. */
export function asActivities(steps: Readonly<Record<string, Step<never, unknown>>>, scratchFolder: string): Readonly<Record<string, Activity>> {
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [name, (input: unknown) => attempt(step as Step<unknown, unknown>, input, scratchFolder)]),
  );
}

async function attempt(step: Step<unknown, unknown>, input: unknown, scratchFolder: string): Promise<unknown> {
  const activity = Context.current();
  const { workflowExecution, workflowType, activityType, attempt: number } = activity.info;
  await mkdir(scratchFolder, { recursive: true });
  const scratch = await mkdtemp(join(scratchFolder, `${activityType}-`));
  let latest: Progress = { step: activityType };
  try {
    return await step(input, {
      signal: activity.cancellationSignal,
      // A bare sign of life does not wipe out how far the step said it was.
      heartbeat: (progress = latest) => activity.heartbeat((latest = progress)),
      log: activity.log,
      scratch,
      run: { workflowId: workflowExecution!.workflowId, runId: workflowExecution!.runId, workflowType: workflowType!, attempt: number },
    });
  } catch (error) {
    // The cause of an abort is Temporal's (cancelled, or worker shutting down): only it knows whether the step is tried again.
    if (activity.cancellationSignal.aborted) throw activity.cancellationSignal.reason;
    throw error instanceof MlError ? asFailure(error) : error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
