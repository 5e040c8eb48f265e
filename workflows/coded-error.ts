import { ApplicationFailure } from '@temporalio/workflow';
import { catalogue, MlError } from '../core/errors.ts';

/** Temporal's form of a coded error. A plain error thrown in workflow code would retry the workflow task for ever. */
export function asFailure(error: MlError): ApplicationFailure {
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !catalogue[error.code].retry,
    details: [error.facts],
    cause: error,
  });
}
