import { isErrorCode, MlError } from '../../core/errors.ts';
import type { SentError } from './messages.ts';

/** Anything thrown, as what may cross to another process. What is not ours is a `Bug`, with its stack. */
export function toSentError(thrown: unknown): SentError {
  if (isCoded(thrown)) return { code: thrown.code, message: thrown.message, facts: sendable(thrown.facts) };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = error.name === 'AbortError' ? 'Cancelled' : 'Bug';
  return { code, message: error.name === 'Error' ? error.message : `${error.name}: ${error.message}`, facts: { stack: error.stack } };
}

export const fromSentError = ({ code, message, facts }: SentError): MlError => new MlError(code, message, facts);

// By its code, not by `instanceof`: a child may have loaded another copy of the class.
const isCoded = (thrown: unknown): thrown is MlError => thrown instanceof Error && 'code' in thrown && isErrorCode(thrown.code) && 'facts' in thrown;

/** Facts with a function or a class in them would make the sending itself fail, and hide the error. */
function sendable(facts: MlError['facts']): MlError['facts'] {
  try {
    return structuredClone(facts);
  } catch {
    return { facts: String(facts) };
  }
}
