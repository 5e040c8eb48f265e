import { ActivityFailure, ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { isErrorCode, MlError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';

/** Temporal's form of a coded error. In workflow code a plain error would retry the workflow task for ever. */
export function asFailure(error: MlError): ApplicationFailure {
  const { message, code, retry, facts, cause } = error;
  return ApplicationFailure.create({
    message,
    type: code,
    nonRetryable: !retry,
    details: [facts],
    ...(cause instanceof Error && { cause }),
  });
}

/**
 * What a workflow's `TypeError` means where its input was left away, or is no object: whoever starts one by hand, in Temporal's web UI, forgot it. As a plain
 * error it would retry the workflow task for ever.
 */
export function withoutInput(workflow: string, input: unknown, thrown: unknown): MlError | undefined {
  if (!(thrown instanceof TypeError) || (typeof input === 'object' && input !== null)) return undefined;
  const given = input === undefined || input === null ? 'without an input' : `with ${JSON.stringify(input)}`;
  const said = `${workflow} was started ${given}, and takes an object of JSON (the type of its parameter says which): ${thrown.message}`;
  return new MlError('RequestInvalid', said, { workflow }, { cause: thrown });
}

/**
 * The first coded error of a chain of causes is what went wrong; what is around it (a child workflow, an activity) says where. Without one it may
 * be Temporal that gave up: a cancellation, or a limit of time.
 */
export function faultOf(error: unknown): { readonly code: ErrorCode; readonly message: string } {
  const chain = [...causesOf(error)];
  for (const each of chain) {
    if (each instanceof MlError) return { code: each.code, message: each.message };
    if (each instanceof ApplicationFailure && isErrorCode(each.type)) return { code: each.type, message: each.message };
  }
  if (chain.some((each) => each instanceof CancelledFailure)) return { code: 'Cancelled', message: 'it was cancelled' };
  if (chain.some((each) => each instanceof TerminatedFailure)) return { code: 'Cancelled', message: 'it was terminated' };
  const late = chain.find((each) => each instanceof TimeoutFailure);
  if (late !== undefined) return { code: 'TimedOut', message: `${subjectOf(chain)} took longer than it may (${late.timeoutType})` };
  const thrown = chain.find((each) => each instanceof ApplicationFailure) ?? error;
  return { code: 'Bug', message: thrown instanceof ApplicationFailure && thrown.type != null ? `${thrown.type}: ${thrown.message}` : String(thrown) };
}

function subjectOf(chain: readonly Error[]): string {
  const activity = chain.find((each) => each instanceof ActivityFailure);
  return activity === undefined ? 'the run' : `the step ${activity.activityType}`;
}

function* causesOf(error: unknown): Generator<Error> {
  for (let each = error; each instanceof Error; each = each.cause) yield each;
}
