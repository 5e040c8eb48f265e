import { ApplicationFailure, DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import type { FailureConverter, Payload, PayloadConverter } from '@temporalio/common';
import { MlError } from '../core/errors.ts';
import { asFailure } from './coded-error.ts';

/**
 * The most that one value may take in Temporal's histories. May be raised, never lowered: a workflow that is replayed makes its values again, and one that
 * was let through once must not fail its run now.
 */
export const mostPayloadBytes = 256 * 1024;

/** Temporal's default converter, which refuses what is no pointer. For clients, workers and workflow code. */
export const payloadConverter: PayloadConverter = {
  fromPayload: (payload, context, hint) => defaultPayloadConverter.fromPayload(payload, context, hint),
  toPayload(value, context, hint) {
    const payload = defaultPayloadConverter.toPayload(value, context, hint);
    if (sizeOf(payload) > mostPayloadBytes) throw tooLarge('a value', sizeOf(payload));
    return payload;
  },
};

/**
 * Checks a value where what it is can be told, and where the converter would come too late: the SDK encodes a workflow's result when nothing can catch it.
 *
 * @throws {ApplicationFailure} `PayloadTooLarge`
 */
export function guardPayload(value: unknown, subject: string): void {
  // A character of a string takes at most three bytes: what is small, as nearly all is, need not be encoded twice.
  if (!(value instanceof Uint8Array) && (JSON.stringify(value)?.length ?? 0) * 3 <= mostPayloadBytes) return;
  const bytes = sizeOf(defaultPayloadConverter.toPayload(value));
  if (bytes > mostPayloadBytes) throw tooLarge(subject, bytes);
}

/** What was thrown, with the name of what was too large. */
export function withSubject(error: unknown, subject: string): unknown {
  if (!(error instanceof ApplicationFailure) || error.type !== 'PayloadTooLarge') return error;
  const [facts] = (error.details ?? []) as readonly { readonly subject?: string; readonly bytes?: number }[];
  return facts?.subject === 'a value' && facts.bytes !== undefined ? tooLarge(subject, facts.bytes) : error;
}

const sizeOf = ({ data }: Payload): number => data?.length ?? 0;

function tooLarge(subject: string, bytes: number): ApplicationFailure {
  return asFailure(
    new MlError(
      'PayloadTooLarge',
      `${subject} has ${bytes} bytes, and at most ${mostPayloadBytes} go through Temporal: write an artifact, and pass that`,
      { subject, bytes, limit: mostPayloadBytes },
    ),
  );
}

/** An error must get through, whatever hangs on it: if its details are too large, it goes without them. */
export function guarded(inner: FailureConverter): FailureConverter {
  return {
    failureToError: (failure, converter, context) => inner.failureToError(failure, converter, context),
    errorToFailure(error, converter, context) {
      try {
        return inner.errorToFailure(error, converter, context);
      } catch (thrown) {
        if (!(thrown instanceof ApplicationFailure) || thrown.type !== 'PayloadTooLarge') throw thrown;
        return inner.errorToFailure(withSubject(thrown, 'what hangs on an error'), converter, context);
      }
    },
  };
}

export const failureConverter = guarded(new DefaultFailureConverter());
