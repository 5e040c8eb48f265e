import { isGrpcServiceError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { isErrorCode, MlError } from '../core/errors.ts';
import type { Facts } from '../core/errors.ts';

/** Of gRPC: https://grpc.io/docs/guides/status-codes */
const unavailable = 14;

/** The coded error inside a failed workflow, wherever in the chain of causes it is; what is no coded error comes back as it was. */
export function asMlError(error: unknown): unknown {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each instanceof MlError) return each;
    if (isGrpcServiceError(each) && Number(each.code) === unavailable) {
      return new MlError(
        'TemporalUnavailable',
        'the Temporal server went away: start it again, open runs go on where they were',
        {},
        { cause: error },
      );
    }
    if (each instanceof CancelledFailure) return new MlError('Cancelled', 'the run was cancelled', {}, { cause: error });
    if (each instanceof TerminatedFailure) return new MlError('Cancelled', 'the run was terminated', {}, { cause: error });
    if (each instanceof ApplicationFailure && isErrorCode(each.type)) {
      return new MlError(each.type, each.message, (each.details?.[0] ?? {}) as Facts, { cause: error });
    }
  }
  // After the loop: what a step that ran out of time last failed with says more, and is the time-out's cause.
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each instanceof TimeoutFailure) return new MlError('TimedOut', `${each.message} (${each.timeoutType})`, {}, { cause: error });
  }
  return error;
}
