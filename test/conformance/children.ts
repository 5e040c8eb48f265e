import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { compiled } from '../../workers/compiled.ts';

/** Starts the compiled `store-child.ts`; it is ready, and waits for `go`. */
export async function startChild(...args: readonly (string | number)[]): Promise<Child> {
  const entry = compiled('test/conformance/store-child');
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run "npm run build" before the tests of stores`);
  const process = fork(entry, args.map(String), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await once(process, 'message');
  return { process, go: () => answerOf(process) };
}

export interface Child {
  readonly process: ChildProcess;
  go(): Promise<unknown>;
}

/** Several children that do the same at the same time; their answers. */
export async function race(children: number, ...args: readonly (string | number)[]): Promise<unknown[]> {
  const racers = await Promise.all(Array.from({ length: children }, () => startChild(...args)));
  return Promise.all(racers.map((racer) => racer.go()));
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit');
  const answered = once(child, 'message').then(([message]) => message as { answer: unknown });
  child.send('go');
  const first = await Promise.race([
    answered,
    ended.then(([code, signal]) => new Error(`the child ended with ${code ?? signal} before it answered`)),
  ]);
  if (first instanceof Error) throw first;
  await ended;
  return first.answer;
}
