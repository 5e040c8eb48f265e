import { ApplicationFailure } from '@temporalio/common';
import { MlError } from '../core/errors.ts';

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
