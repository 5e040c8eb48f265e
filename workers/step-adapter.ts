import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { asFailure } from '../workflows/coded-error.ts';
import { guardPayload } from '../workflows/payload-guard.ts';
import type { Step } from '../activities/ports.ts';
import type { Progress } from '../core/step-context.ts';

type Activity = (input: unknown) => Promise<unknown>;

/** The only code that knows both a step and Temporal: it gives a step its context, and turns a coded error into Temporal's form. */
export function asActivities(steps: Readonly<Record<string, Step<never, unknown>>>, scratchFolder: string): Readonly<Record<string, Activity>> {
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [name, (input: unknown) => attempt(step as Step<unknown, unknown>, input, scratchFolder)]),
  );
}

/** A fault of the code comes again each time. A few attempts, since not all that looks like one is; a day of them would hide it. */
const mostBugAttempts = 3;

/** What a step threw, in Temporal's form. An error with a code of the system (`ENOSPC`, `ECONNRESET`) is the world's, and worth a later attempt. */
export function failureOf(error: unknown, attempts: number): unknown {
  if (error instanceof MlError) return asFailure(error);
  if (error instanceof TemporalFailure || isOfTheWorld(error) || attempts < mostBugAttempts) return error;
  const name = error instanceof Error ? `${error.name}: ` : '';
  return asFailure(new MlError('Bug', `${name}${messageOf(error)}, in ${attempts} attempts`, {}, { cause: error }));
}

function isOfTheWorld(error: unknown): boolean {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string' && !each.code.startsWith('ERR_')) return true;
  }
  return false;
}

async function attempt(step: Step<unknown, unknown>, input: unknown, scratchFolder: string): Promise<unknown> {
  const activity = Context.current();
  const { workflowExecution, workflowType, activityType, attempt: number } = activity.info;
  await mkdir(scratchFolder, { recursive: true });
  const scratch = await mkdtemp(join(scratchFolder, `${activityType}-`));
  let latest: Progress = { step: activityType };
  try {
    const output = await step(input, {
      signal: activity.cancellationSignal,
      // A bare sign of life does not wipe out how far the step said it was.
      heartbeat: (progress = latest) => activity.heartbeat((latest = progress)),
      log: activity.log,
      scratch,
      run: { workflowId: workflowExecution!.workflowId, runId: workflowExecution!.runId, workflowType: workflowType!, attempt: number },
    });
    guardPayload(output, `the result of step "${activityType}"`);
    return output;
  } catch (error) {
    // The cause of an abort is Temporal's (cancelled, or worker shutting down): only it knows whether the step is tried again.
    if (activity.cancellationSignal.aborted) throw activity.cancellationSignal.reason;
    throw failureOf(error, number);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
