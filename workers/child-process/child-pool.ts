import { MlError } from '../../core/errors.ts';
import { type Child, type ChildOptions, startChild } from './child.ts';
import type { Answer, FromChild } from './messages.ts';
import { fromSentError, toSentError } from './sent-error.ts';

export interface ChildPoolOptions extends Partial<ChildOptions> {
  readonly entry: string;
  /** Most children at a time; further tasks wait. */
  readonly size: number;
  /** A child is replaced after so many tasks, so that what leaks in native code stays small. */
  readonly tasksPerChild?: number;
}

export interface PoolTask {
  readonly name: string;
  /** Crosses by structured clone: typed arrays arrive as such, functions do not. */
  readonly input: unknown;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: never) => void;
  /** What the child may ask for, by name. */
  readonly answers?: Readonly<Record<string, (input: never) => unknown>>;
}

export interface ChildPool {
  /**
   * Does a task in a child process.
   * @throws {MlError} what the handler threw; `TrainingCrashed` when the process died, `TrainingSilent` when it hung, `Cancelled` on `signal`.
   */
  run<Output = unknown>(task: PoolTask, options?: RunOptions): Promise<Output>;
  /** Processes that are alive now, for whoever wants to see or kill them. */
  pids(): readonly number[];
  /** Kills all children; tasks in progress end as `Cancelled`. */
  close(): Promise<void>;
}

/** Heavy and native work happens in recycled child processes: a crash there is not ours, a cancelled computation ends in milliseconds. */
export function createChildPool(options: ChildPoolOptions): ChildPool {
  const { size, tasksPerChild = 1000 } = options;
  const childOptions = { silenceMs: 60_000, ...options };
  const idle = new Set<PooledChild>();
  const all = new Set<PooledChild>();
  const waiting: (() => void)[] = [];
  const closing = new AbortController();
  let ids = 0;
  let taken = 0;

  async function run<Output>({ name, input }: PoolTask, { signal, onProgress, answers = {} }: RunOptions = {}): Promise<Output> {
    const stop = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
    await takePlace(stop);
    try {
      const pooled = hire();
      const { child } = pooled;
      const id = ++ids;
      const stopped = abortOf(stop, name);
      try {
        child.busy(true);
        const done = new Promise<Answer>((resolve, reject) => {
          child.listen((message) => {
            if (!('id' in message) || message.id !== id) return;
            if (message.kind === 'ask') void reply(child, message, answers);
            if (message.kind === 'done') resolve(message.answer);
            if (message.kind === 'progress')
              attempt(
                () => onProgress?.(message.progress as never),
                (error) => void (child.listen(ignore), reject(error)),
              );
          });
        });
        child.send({ kind: 'task', id, name, input });
        const answer = await Promise.race([done, child.ended, stopped.promise]);
        release(pooled);
        if ('error' in answer) throw fromSentError(answer.error);
        return answer.value as Output;
      } finally {
        stopped.dispose();
        child.listen(ignore);
        if (!idle.has(pooled)) await dismiss(pooled);
      }
    } finally {
      taken--;
      waiting.shift()?.();
    }
  }

  async function takePlace(stop: AbortSignal): Promise<void> {
    while (taken >= size && !stop.aborted) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        // A waiter that gave up must not be the one that a freed place wakes.
        stop.addEventListener('abort', () => void (waiting.splice(waiting.indexOf(resolve) >>> 0, 1), resolve()), { once: true });
      });
    }
    if (stop.aborted) throw cancelled('a task');
    taken++;
  }

  function hire(): PooledChild {
    const [first] = idle;
    if (first !== undefined) {
      idle.delete(first);
      first.tasks++;
      return first;
    }
    const pooled: PooledChild = { child: startChild(childOptions), tasks: 1 };
    all.add(pooled);
    // An idle child that dies must not be hired.
    pooled.child.ended.catch(() => {
      idle.delete(pooled);
      all.delete(pooled);
    });
    return pooled;
  }

  function release(pooled: PooledChild): void {
    if (pooled.tasks >= tasksPerChild || closing.signal.aborted) return;
    pooled.child.busy(false);
    idle.add(pooled);
  }

  async function dismiss(pooled: PooledChild): Promise<void> {
    await pooled.child.kill();
    all.delete(pooled);
  }

  return {
    run,
    pids: () => [...all].map(({ child }) => child.pid),
    async close() {
      closing.abort();
      idle.clear();
      await Promise.all([...all].map(dismiss));
    },
  };
}

const ignore = (): void => {};

function attempt(act: () => void, failed: (error: unknown) => void): void {
  try {
    act();
  } catch (error) {
    failed(error);
  }
}

interface PooledChild {
  readonly child: Child;
  tasks: number;
}

const cancelled = (what: string): MlError => new MlError('Cancelled', `${what} was cancelled`);

function abortOf(signal: AbortSignal, name: string): { promise: Promise<never>; dispose: () => void } {
  const { promise, reject } = withReject();
  const abort = (): void => reject(cancelled(`the task "${name}"`));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return { promise, dispose: () => signal.removeEventListener('abort', abort) };
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, rejected) => {
    reject = rejected;
  });
  promise.catch(() => {}); // Raced, and perhaps lost.
  return { promise, reject };
}

async function reply(child: Child, { ask, name, input }: FromChild & { kind: 'ask' }, answers: NonNullable<RunOptions['answers']>): Promise<void> {
  let answer: Answer;
  try {
    const answerer = answers[name];
    if (answerer === undefined) throw new MlError('Bug', `the child asked for "${name}"; only ${Object.keys(answers).join(', ')} are answered`);
    answer = { value: await answerer(input as never) };
  } catch (error) {
    answer = { error: toSentError(error) };
  }
  child.send({ kind: 'answer', ask, answer });
}
