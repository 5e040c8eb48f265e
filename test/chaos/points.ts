import { appendFileSync } from 'node:fs';
import type { Key, ObjectStore } from '../../stores/object-store.ts';
import type { Around } from '../../workers/worker.ts';

/** What kind of object a key names: the first part of its path says it, and for a log that it is one. */
export const kindOf = (key: Key): string => (key.startsWith('models/') ? 'log' : key.split('/')[0]!);

/** Stands around each write of the store and each step, and tells where the worker is: `log settle before`, `step trainModel after`. */
export function pointsAround(reach: (point: string) => void): Around {
  async function between<T>(name: string, act: () => Promise<T>): Promise<T> {
    reach(`${name} before`);
    const result = await act();
    reach(`${name} after`);
    return result;
  }
  return {
    // One after the other, so that there is a point between any two.
    store: ({ settleTogether: _, ...store }): ObjectStore => ({
      ...store,
      settle: (key, body, call) => between(`${kindOf(key)} settle`, () => store.settle(key, body, call)),
      upload: (key, file, call) => between(`${kindOf(key)} upload`, () => store.upload(key, file, call)),
      remove: (key) => between(`${kindOf(key)} remove`, () => store.remove(key)),
    }),
    step: (name, step) => (input, context) => between(`step ${name}`, () => step(input, context)),
  };
}

/** What becomes of a worker at its points. */
export type Arming =
  /** It writes down which points it passes. */
  | { readonly kind: 'count'; readonly journal: string }
  /** It kills itself with -9 at one of the points, after it has passed so many of them; and says so first. */
  | { readonly kind: 'kill'; readonly journal: string; readonly points: readonly string[]; readonly passing: number }
  | { readonly kind: 'live' };

export function reachFor(arming: Arming): (point: string) => void {
  if (arming.kind === 'live') return () => {};
  // Written at once, not when the process finds time: it has none left.
  const note = (point: string): void => appendFileSync(arming.journal, `${point}\n`);
  if (arming.kind === 'count') return note;
  const points = new Set(arming.points);
  let passed = 0;
  return (point) => {
    if (!points.has(point) || passed++ < arming.passing) return;
    note(point);
    process.kill(process.pid, 'SIGKILL');
  };
}
