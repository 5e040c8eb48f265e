import { fork } from 'node:child_process';
import { once } from 'node:events';
import { MlError, type ErrorCode, type Facts } from '../core/errors.ts';
import { killGroup } from './child-process/kill-group.ts';
import type { Service } from './supervisor.ts';

export interface ProcessServiceOptions {
  readonly name: string;
  /** Compiled entry; it calls `serviceReady(facts)` once and `watchOwner()` or nothing else. */
  readonly entry: string;
  /** What the process gets from `processInput()`. Not an argument: those are in every user's list of processes, and a key may be in here. */
  readonly input?: object;
  readonly execArgv?: readonly string[];
  readonly restart?: Service['restart'];
  /** What the process said when it was ready. */
  readonly onReady?: (facts: unknown) => void;
  readonly graceMs?: number;
}

/** A service in a process of its own, which dies with this one: a crash there, or an event loop that is busy there, is not felt here. */
export function processService(options: ProcessServiceOptions): Service {
  const { name, entry, input, execArgv = [], restart = 'never', onReady = () => {}, graceMs = 10_000 } = options;
  return {
    name,
    restart,
    async start(signal) {
      // Standard output is for results: what the process says goes to standard error.
      const child = fork(entry, [], {
        detached: true,
        serialization: 'advanced',
        execArgv: [...execArgv],
        stdio: ['pipe', process.stderr, 'inherit', 'ipc'],
      });
      // A failed send is an ended child, which `ended` tells.
      if (input !== undefined) child.send(input, () => {});
      const ended = once(child, 'exit').then(([code, by]) => {
        killGroup(child);
        if (by !== null) throw new Error(`it was ended by ${by}`);
        return code as number;
      });
      ended.catch(() => {});
      const early = ended.then((code) =>
        Promise.reject(new MlError('Bug', `${name} ended with exit code ${code} before it was ready`, { name, code })),
      );
      early.catch(() => {});
      const stop = async (): Promise<void> => {
        child.kill('SIGTERM');
        const late = setTimeout(() => killGroup(child), graceMs);
        await ended.catch(() => {});
        clearTimeout(late);
      };
      // A process that ends early never says anything: nothing may go on listening to a signal that lives as long as its owner.
      const waiting = new AbortController();
      try {
        const [said] = await Promise.race([once(child, 'message', { signal: AbortSignal.any([signal, waiting.signal]) }), early]);
        if (isFailure(said)) throw new MlError(said.failed.code, said.failed.message, said.failed.facts);
        onReady(said);
      } catch (error) {
        await stop();
        throw error;
      } finally {
        waiting.abort();
      }
      return { ended, stop };
    },
  };
}

/** What a process says instead of being ready. */
interface Failure {
  readonly failed: { readonly code: ErrorCode; readonly message: string; readonly facts: Facts };
}

const isFailure = (said: unknown): said is Failure => typeof said === 'object' && said !== null && 'failed' in said;

/** What the owner of this process gave it as `input`. Until `serviceReady`, an error that ends this process is the owner's to tell. */
export async function processInput<Input>(): Promise<Input> {
  process.on('uncaughtException', tellOwner);
  const [input] = await once(process, 'message');
  return input as Input;
}

/** Says, from inside the process of a `processService`, that it is ready, with what others need to know (its address). */
export function serviceReady(facts: unknown): void {
  process.off('uncaughtException', tellOwner);
  process.send?.(facts);
}

function tellOwner(error: Error): void {
  // What has no code is a bug, of which the owner could not tell the place.
  if (!(error instanceof MlError)) process.stderr.write(`${error.stack ?? error.message}\n`);
  const failure = error instanceof MlError && { failed: { code: error.code, message: error.message, facts: error.facts } };
  if (failure && process.send) process.send(failure satisfies Failure, undefined, {}, () => process.exit(1));
  else process.exit(1);
}
