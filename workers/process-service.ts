import { fork } from 'node:child_process';
import { once } from 'node:events';
import { MlError } from '../core/errors.ts';
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
        killGroup(child.pid);
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
        const late = setTimeout(() => killGroup(child.pid), graceMs);
        await ended.catch(() => {});
        clearTimeout(late);
      };
      try {
        const [facts] = await Promise.race([once(child, 'message', { signal }), early]);
        onReady(facts);
      } catch (error) {
        await stop();
        throw error;
      }
      return { ended, stop };
    },
  };
}

/** What the owner of this process gave it as `input`. */
export async function processInput<Input>(): Promise<Input> {
  const [input] = await once(process, 'message');
  return input as Input;
}

/** Says, from inside the process of a `processService`, that it is ready, with what others need to know (its address). */
export function serviceReady(facts: unknown): void {
  process.send?.(facts);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
