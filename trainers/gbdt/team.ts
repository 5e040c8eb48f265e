import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MlError } from '../../core/errors.ts';
import { taskArguments } from './plan.ts';
import { taskNames, tasks } from './tasks.ts';
import type { Task, TaskName } from './tasks.ts';
import { openWorkspace } from './workspace.ts';
import type { Opening, Workspace } from './workspace.ts';

/** The words by which a team is told what to do. */
const control = { turn: 0, working: 1, task: 2, failed: 3, size: 4 } as const;
const endTask = -1;

/** Threads that do one task after another, each its share. This thread has the first share. */
export interface Team {
  readonly space: Workspace;
  /** Returns when all shares are done. */
  together(task: TaskName, ...given: number[]): void;
  /** The same by this thread only, for work too small to be shared. */
  alone(task: TaskName, ...given: number[]): void;
  end(): Promise<void>;
}

export async function openTeam(opening: Opening): Promise<Team> {
  const space = openWorkspace(opening);
  const { plan } = space;
  const { threads } = opening.shape;
  const words = new Int32Array(opening.memory.buffer, plan.control, control.size);
  const args = new Float64Array(opening.memory.buffer, plan.given, taskArguments);
  const others = await Promise.all(Array.from({ length: threads - 1 }, (_, other) => startThread(opening, other + 1)));

  function announce(task: number): void {
    words[control.task] = task;
    Atomics.store(words, control.working, others.length);
    Atomics.add(words, control.turn, 1);
    Atomics.notify(words, control.turn);
  }

  function alone(task: TaskName, ...given: number[]): void {
    perform(task, space, 0, 1, given);
  }

  return {
    space,
    alone,
    together(task, ...given) {
      if (others.length === 0) return alone(task, ...given);
      for (let at = 0; at < given.length; at++) args[at] = given[at]!;
      announce(taskNames.indexOf(task));
      perform(task, space, 0, threads, given);
      for (let working = others.length; working > 0; working = Atomics.load(words, control.working)) waitWhile(words, control.working, working);
      if (words[control.failed]) throw new MlError('Bug', `a thread failed in "${task}" of gradient boosting`);
    },
    async end() {
      if (others.length > 0) announce(endTask);
      await Promise.all(others.map((other) => other.exited));
    },
  };
}

/** One thread's share of a task. Arguments that it does not have are not looked at. */
function perform(task: TaskName, space: Workspace, share: number, shares: number, given: ArrayLike<number>): void {
  const run: Task = tasks[task];
  run(space, share, shares, given[0]!, given[1]!, given[2]!, given[3]!, given[4]!);
}

interface Thread {
  readonly exited: Promise<unknown>;
}

async function startThread(opening: Opening, share: number): Promise<Thread> {
  const worker = new Worker(threadModule(), { workerData: { opening, share } });
  const exited = once(worker, 'exit');
  await once(worker, 'message');
  return { exited };
}

/** What a thread of a team does until it is told to end: it waits for tasks without an event loop. */
export function serve(opening: Opening, share: number, ready: () => void): void {
  const space = openWorkspace(opening);
  const words = new Int32Array(opening.memory.buffer, space.plan.control, control.size);
  const given = new Float64Array(opening.memory.buffer, space.plan.given, taskArguments);
  ready();
  for (let turn = 0; ;) {
    waitWhile(words, control.turn, turn);
    const now = Atomics.load(words, control.turn);
    if (now === turn) continue;
    turn = now;
    const task = words[control.task]!;
    if (task === endTask) return;
    try {
      perform(taskNames[task]!, space, share, opening.shape.threads, given);
    } catch {
      // Nobody reads messages while threads work together: whoever waits for this one says so.
      words[control.failed] = 1;
    }
    if (Atomics.sub(words, control.working, 1) === 1) Atomics.notify(words, control.working);
  }
}

/** Short waits are waited out awake: to sleep and be woken takes longer than most tasks. */
const looks = 5_000;

/** Returns when the word is no longer `value`, or perhaps before. */
function waitWhile(words: Int32Array, word: number, value: number): void {
  for (let look = 0; look < looks; look++) if (Atomics.load(words, word) !== value) return;
  Atomics.wait(words, word, value);
}

/** Node 20 cannot run `.ts`, and threads do not go through a test runner's transform: a thread runs the compiled module, wherever we run from. */
function threadModule(): string {
  const here = import.meta.url;
  const path = fileURLToPath(new URL(here.endsWith('.ts') ? '../../dist/trainers/gbdt/thread.js' : './thread.js', here));
  if (!existsSync(path)) throw new MlError('Bug', `the compiled module ${path} is missing: run \`npm run build\` first`);
  return path;
}
