import { CommanderError } from 'commander';
import { MlError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { Misuse } from './misuse.ts';

/** What was asked for does not exist: the caller's word was wrong, not the world. */
const misused: ReadonlySet<ErrorCode> = new Set(['RequestInvalid', 'ModelUnknown', 'VersionUnknown', 'RunUnknown']);

export const exitCodes = { done: 0, failed: 1, misused: 2, interrupted: 130 } as const;

/** Prints what went wrong: one line for people, with `--json` also one value for machines. Returns the exit code. */
export async function tellFailure(thrown: unknown, { json, debug }: { readonly json: boolean; readonly debug: boolean }): Promise<number> {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.done;
  const error = await coded(thrown);
  if (json) process.stdout.write(`${JSON.stringify(asJson(error), null, 2)}\n`);
  process.stderr.write(`error [${error.code}]: ${error.message}\n`);
  if (debug) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  return error instanceof Misuse || misused.has(error.code) ? exitCodes.misused : exitCodes.failed;
}

export const asJson = ({ code, message, facts }: MlError) => ({ error: { code, message, facts } });

/** Every error as one of the catalogue. */
export async function coded(thrown: unknown): Promise<MlError> {
  if (thrown instanceof MlError) return thrown;
  if (thrown instanceof CommanderError) {
    return new Misuse('RequestInvalid', thrown.message.replace(/^error: /, '').replaceAll('\n', ' '), { kind: thrown.code });
  }
  const { asMlError } = await import('../client/failure.ts');
  const inner = asMlError(thrown);
  if (inner instanceof MlError) return inner;
  return new MlError('Bug', `${messageOf(thrown)}: set PERENNIAL_DEBUG=1 to see where`, {}, { cause: thrown });
}
