import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { isErrorCode, MlError } from '../core/errors.ts';
import type { Facts } from '../core/errors.ts';

/** The coded error inside a failed workflow, wherever in the chain of causes it is; what is no coded error comes back as it was. */
export function asMlError(error: unknown): unknown {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each instanceof MlError) return each;
    if (each instanceof CancelledFailure) return new MlError('Cancelled', 'the run was cancelled', {}, { cause: error });
    if (each instanceof ApplicationFailure && isErrorCode(each.type)) {
      return new MlError(each.type, each.message, (each.details?.[0] ?? {}) as Facts, { cause: error });
    }
  }
  return error;
}
