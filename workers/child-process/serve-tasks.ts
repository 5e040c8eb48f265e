import type { Answer, FromChild, ToChild } from './messages.ts';
import { beatMs } from './messages.ts';
import { watchOwner } from './owner-watch.ts';
import { fromSentError, toSentError } from './sent-error.ts';

export interface TaskContext {
  /** Tells the parent how far it is, and lets messages out: between two calls a loop may compute as long as `silenceMs` of the pool. */
  progress(progress: unknown): Promise<void>;
  /** Has the parent do something that only it can (load or save a checkpoint) and returns its answer. */
  ask<Output = unknown>(name: string, input?: unknown): Promise<Output>;
  /** For code that takes one. It never aborts: the child of a cancelled task is killed, which works in the middle of a computation too. */
  readonly signal: AbortSignal;
}

export type TaskHandler = (input: never, context: TaskContext) => Promise<unknown>;

/**
 * Makes this process a child of a pool: it does one task after another until the pool kills it, or until its owner is gone.
 * The last call of a compiled entry file.
 */
export function serveTasks(handlers: Readonly<Record<string, TaskHandler>>): void {
  if (process.send === undefined) throw new Error('serveTasks is for children that createChildPool started');
  watchOwner();
  const answers = new Map<number, (answer: Answer) => void>();
  let asks = 0;
  let current = 0;

  const contextOf = (id: number): TaskContext => ({
    signal: new AbortController().signal,
    async progress(progress) {
      await send({ kind: 'progress', id, progress });
      await new Promise((resolve) => setImmediate(resolve));
    },
    async ask<Output>(name: string, input?: unknown) {
      const ask = ++asks;
      const answered = new Promise<Answer>((resolve) => answers.set(ask, resolve));
      await send({ kind: 'ask', id, ask, name, input });
      return opened(await answered) as Output;
    },
  });

  async function perform({ id, name, input }: ToChild & { kind: 'task' }): Promise<void> {
    current = id;
    let answer: Answer;
    try {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`this child has no task "${name}"; it has ${Object.keys(handlers).join(', ')}`);
      answer = { value: await handler(input as never, contextOf(id)) };
    } catch (error) {
      answer = { error: toSentError(error) };
    }
    await send({ kind: 'done', id, answer }).catch((error: unknown) => send({ kind: 'done', id, answer: { error: toSentError(error) } }));
  }

  process.on('message', (message: ToChild) => {
    if (message.kind === 'task') return void perform(message);
    answers.get(message.ask)?.(message.answer);
    answers.delete(message.ask);
  });
  // Whatever it started goes with it.
  process.on('uncaughtException', (error) => {
    const die = (): void => void process.kill(-process.pid, 'SIGKILL');
    send({ kind: 'done', id: current, answer: { error: toSentError(error) } }).then(die, die);
  });
  setInterval(() => void send({ kind: 'beat' }), beatMs);
  void send({ kind: 'ready' });
}

function send(message: FromChild): Promise<void> {
  return new Promise((resolve, reject) => {
    // A lost connection means that the owner is gone; the watch deals with that.
    process.send?.(message, undefined, {}, (error) => (error === null || !process.connected ? resolve() : reject(error)));
  });
}

function opened(answer: Answer): unknown {
  if ('error' in answer) throw fromSentError(answer.error);
  return answer.value;
}
