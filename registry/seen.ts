import { key } from '../stores/key.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { keysOf } from '../stores/read-object.ts';
import { seal } from '../stores/sealed.ts';

/** How far somebody saw a log: whoever cuts its tail off, or writes another one, is contradicted. */
export interface Seen {
  readonly model: string;
  readonly segment: string;
  /** Number of the last entry. */
  readonly n: number;
  /** SHA-256 of its bytes, which chain all entries before it. */
  readonly sha256: string;
}

/** Remembers what was seen as `seen/<model>/<segment>/<12 digits>.json`: one object an entry, however many servers saw it. */
export interface Marks {
  mark(seen: Seen): Promise<void>;
}

export function openMarks(store: ObjectStore): Marks {
  let known: Promise<Set<string>> | undefined;
  return {
    async mark({ model, segment, n, sha256 }) {
      const place = key(`seen/${model}/${segment}/${String(n).padStart(12, '0')}.json`);
      // One listing at the first mark, so that a server that starts again on a thousand logs does not write a thousand objects again.
      const marked = await (known ??= keysOf(store, 'seen/').then(
        (keys) => new Set<string>(keys),
        (error: unknown) => {
          known = undefined;
          throw error;
        },
      ));
      if (marked.has(place)) return;
      await store.settle(place, seal({ model, segment, n, sha256 } satisfies Seen));
      marked.add(place);
    },
  };
}
