import { setTimeout as sleep } from 'node:timers/promises';
import { key } from '../../stores/key.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';

/**
 * Drivers that break one promise of the port each, for logs: what a check is worth shows on them. Each sees to it that it matters, whoever is fast: a race
 * in which nothing goes wrong by luck would show nothing. `me` is the number of the process, from 1.
 */
export const brokenStores = {
  /** A server that knows no condition: the last writer wins, and each is told that it has won. The first process waits until it can overwrite another's entry. */
  ignoresConditions(store, me) {
    let meet = async (entry: Key): Promise<void> => {
      if (me === 1) await store.settle(waiting, new Uint8Array());
      await untilThere(store, me === 1 ? entry : waiting);
    };
    return {
      ...store,
      async settle(place, body, call) {
        if (!isEntry(place)) return store.settle(place, body, call);
        await meet(place);
        meet = async () => {};
        await store.remove(place);
        await store.settle(place, body, call);
        return body;
      },
    };
  },

  /** Listings of a copy that lags behind: what was written here last, and all since, is not in them. */
  listsLate(store) {
    let written: Key | undefined;
    return {
      ...store,
      async settle(place, body, call) {
        const standing = await store.settle(place, body, call);
        if (isEntry(place) && Buffer.compare(standing, body) === 0) written = place;
        return standing;
      },
      async *list(prefix, after, call) {
        for await (const each of store.list(prefix, after, call)) {
          if (written === undefined || !isEntry(each.key) || each.key < written) yield each;
        }
      },
    };
  },

  /** A write-back cache: it says that a write is done, and writes it when the next one comes, if nobody was first by then. The last one it never writes. */
  acknowledgesEarly(store) {
    let held: { readonly place: Key; readonly body: Uint8Array } | undefined;
    return {
      ...store,
      async settle(place, body, call) {
        if (!isEntry(place)) return store.settle(place, body, call);
        if (held !== undefined) await store.settle(held.place, held.body, call);
        held = undefined;
        if ((await store.head(place)) !== undefined) return store.settle(place, body, call);
        held = { place, body };
        return body;
      },
    };
  },
} satisfies Record<string, (store: ObjectStore, me: number) => ObjectStore>;

export type BrokenStore = keyof typeof brokenStores;

const isEntry = (place: Key): boolean => place.includes('/log/');

/** Says that the first process has come to its first entry: until then nobody writes any. */
const waiting = key('race/waiting');

async function untilThere(store: ObjectStore, place: Key): Promise<void> {
  while ((await store.head(place)) === undefined) await sleep(1);
}
