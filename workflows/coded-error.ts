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

/** The first coded error of a chain of causes is what went wrong; what is around it (a child workflow, an activity) says where. */
export function faultOf(error: unknown): { readonly code: string; readonly message: string } {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each instanceof MlError) return { code: each.code, message: each.message };
    if (each instanceof ApplicationFailure && each.type != null) return { code: each.type, message: each.message };
  }
  return { code: 'Bug', message: String(error) };
}
