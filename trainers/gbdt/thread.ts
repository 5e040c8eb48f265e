/** One thread of a team. It waits for tasks without an event loop, and ends when it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import { taskArguments } from './plan.ts';
import { taskNames } from './tasks.ts';
import { control, endTask, perform, waitWhile } from './team.ts';
import { openWorkspace } from './workspace.ts';
import type { Opening } from './workspace.ts';

const { opening, share } = workerData as { readonly opening: Opening; readonly share: number };
const space = openWorkspace(opening);
const { buffer } = opening.memory;
const words = new Int32Array(buffer, space.plan.control, control.size);
const given = new Float64Array(buffer, space.plan.given, taskArguments);

/** @returns false at the end. */
function obey(): boolean {
  const task = words[control.task]!;
  if (task === endTask) return false;
  try {
    perform(taskNames[task]!, space, share, opening.shape.threads, given);
  } catch {
    // Nobody reads messages while threads work together: whoever waits for this one says so.
    words[control.failed] = 1;
  }
  return true;
}

parentPort!.postMessage('ready');
for (let turn = 0, goesOn = true; goesOn;) {
  waitWhile(words, control.turn, turn);
  const now = Atomics.load(words, control.turn);
  if (now === turn) continue;
  turn = now;
  goesOn = obey();
  if (Atomics.sub(words, control.working, 1) === 1) Atomics.notify(words, control.working);
}
