import { type ChildProcess, fork } from 'node:child_process';
import { MlError } from '../../core/errors.ts';
import { type End, endOf } from './end-of.ts';
import { killGroup } from './kill-group.ts';
import type { FromChild, ToChild } from './messages.ts';

export interface ChildOptions {
  /** Compiled entry file, which ends in `serveTasks(…)`. */
  readonly entry: string;
  /** Without a word for this long a child counts as hung and is killed. It covers starting, too. */
  readonly silenceMs: number;
  readonly execArgv?: readonly string[];
}

/** One forked process, seen as messages in, messages out and one end. */
export interface Child {
  readonly pid: number;
  /** Rejects with `TrainingCrashed` or `TrainingSilent` once the process is gone; never resolves. */
  readonly ended: Promise<never>;
  send(message: ToChild): void;
  listen(listener: (message: FromChild) => void): void;
  /** Whether the child keeps this process from ending, and whether its silence is counted. Idle children do neither. */
  busy(busy: boolean): void;
  /** Kills the whole group; resolves when the process is gone. */
  kill(): Promise<void>;
}

export function startChild({ entry, silenceMs, execArgv = [] }: ChildOptions): Child {
  // Its own group, so that grandchildren die with it and a terminal's Ctrl-C does not reach it.
  const child = fork(entry, [], {
    detached: true,
    serialization: 'advanced',
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    execArgv: [...execArgv],
  });
  const said = tail(child);
  let listener: (message: FromChild) => void = () => {};
  let heard = performance.now();
  let silent = false;

  child.on('message', (message: FromChild) => {
    heard = performance.now();
    listener(message);
  });

  const watch = setInterval(
    () => {
      // Messages may have been waiting while this process was busy itself: let them in before judging.
      setImmediate(() => {
        if (performance.now() - heard <= silenceMs) return;
        silent = true;
        killGroup(child);
      });
    },
    Math.max(10, silenceMs / 4),
  );

  child.once('exit', () => killGroup(child)); // What it started may outlive it.
  const gone = endOf(child)
    .then(
      (end) => (silent ? silence(child, silenceMs) : crash(child, end, said())),
      (error: Error) => new MlError('TrainingCrashed', `the child process ${entry} did not start: ${error.message}`, { entry }),
    )
    .finally(() => clearInterval(watch));
  const ended = gone.then((error) => Promise.reject(error));
  ended.catch(() => {}); // An idle child's end is noticed when it is needed next.

  /** Whether the child keeps this process alive. */
  const hold = (busy: boolean): void => {
    for (const handle of [child, child.channel, child.stdin, child.stdout, child.stderr, watch]) refer(handle, busy);
  };

  return {
    pid: child.pid ?? -1,
    ended,
    send: (message) => void child.send(message, () => {}), // A failed send is an ended child, which `ended` tells.
    listen: (next) => void (listener = next),
    busy(busy) {
      heard = performance.now();
      hold(busy);
    },
    async kill() {
      // This process must not end before it has heard of the child's end, which somebody waits for.
      hold(true);
      killGroup(child);
      await gone;
    },
  };
}

function refer(handle: unknown, busy: boolean): void {
  // Of a child that is gone the channel is gone, too.
  const { ref, unref } = (handle ?? {}) as { ref?: () => void; unref?: () => void };
  (busy ? ref : unref)?.call(handle);
}

const silence = (child: ChildProcess, silenceMs: number): MlError =>
  new MlError('TrainingSilent', `the child process gave no sign of life for ${silenceMs} ms and was killed`, { pid: child.pid, silenceMs });

function crash(child: ChildProcess, { code, signal }: End, output: string): MlError {
  const how = signal === null ? `exit code ${code}` : signal;
  const words = output === '' ? '' : `; its last words: ${output}`;
  return new MlError('TrainingCrashed', `the child process ended with ${how}${words}`, { pid: child.pid, code, signal, output });
}

/** The end of what a child wrote: standard output belongs to the command's result, so nothing of it is passed on. */
function tail(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4000);
    });
  }
  return () => text.trim();
}
