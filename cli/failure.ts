import { CommanderError } from 'commander';
import { MlError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { Misuse } from './misuse.ts';

/** What was asked for does not exist: the caller's word was wrong, not the world. */
const misused: ReadonlySet<ErrorCode> = new Set(['RequestInvalid', 'ModelUnknown', 'VersionUnknown', 'RunUnknown']);

export const exitCodes = { done: 0, failed: 1, misused: 2, interrupted: 130 } as const;

interface Telling {
  readonly json: boolean;
  readonly debug: boolean;
  /** The command that tells how it is used. */
  readonly help: string;
}

/** Prints what went wrong: one line for people, with `--json` also one value for machines. Returns the exit code. */
export async function tellFailure(thrown: unknown, { json, debug, help }: Telling): Promise<number> {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.done;
  // Where a command was left out its help was printed, which says more.
  if (thrown instanceof CommanderError && thrown.code === 'commander.help' && !json) return exitCodes.misused;
  const error = thrown instanceof CommanderError ? ofCommander(thrown, help) : await coded(thrown);
  if (json) process.stdout.write(`${JSON.stringify(asJson(error), null, 2)}\n`);
  process.stderr.write(`error [${error.code}]: ${error.message}\n`);
  if (debug) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  return error instanceof Misuse || misused.has(error.code) ? exitCodes.misused : exitCodes.failed;
}

export const asJson = ({ code, message, facts }: MlError) => ({ error: { code, message, facts } });

/** What the parser of arguments says, which of some faults names no cure. */
function ofCommander({ code, message }: CommanderError, help: string): Misuse {
  const said = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '').replaceAll('\n', ' ');
  const isCured = code === 'commander.invalidArgument' || said.includes('Did you mean');
  return new Misuse('RequestInvalid', isCured ? said : `${said.replace(/\.$/, '')}: see \`${help}\``, { kind: code });
}

/** Every error as one of the catalogue. */
export async function coded(thrown: unknown): Promise<MlError> {
  if (thrown instanceof MlError) return thrown;
  const { asMlError } = await import('../client/failure.ts');
  const inner = asMlError(thrown);
  if (inner instanceof MlError) return inner;
  return new MlError('Bug', `${messageOf(thrown)}: set PERENNIAL_DEBUG=1 to see where`, {}, { cause: thrown });
}
