import type { Key, ObjectStore } from '../../stores/object-store.ts';

/** Drivers that break one promise of the port each, for logs: what a check is worth shows on them. */
export const brokenStores = {
  /** A server that knows no condition: the last writer wins, and each is told that it has won. */
  ignoresConditions: (store) => ({
    ...store,
    async settle(key, body, call) {
      if (!isEntry(key)) return store.settle(key, body, call);
      await store.remove(key);
      await store.settle(key, body, call);
      return body;
    },
  }),

  /** Listings of a copy that lags behind: what was written in the last moment is not in them. */
  listsLate: (store) => ({
    ...store,
    async *list(prefix, after, call) {
      for await (const each of store.list(prefix, after, call)) {
        const found = await store.head(each.key);
        if (found !== undefined && Date.now() - found.modified.getTime() > lagMs) yield each;
      }
    },
  }),

  /** A write-back cache: it says that a write is done, and writes it a little later, if nobody was first by then. */
  acknowledgesEarly(store) {
    const pending = new Map<Key, Uint8Array>();
    return {
      ...store,
      async settle(key, body, call) {
        if (!isEntry(key)) return store.settle(key, body, call);
        const standing = pending.get(key) ?? (await contentOf(store, key));
        if (standing !== undefined) return standing;
        pending.set(key, body);
        setTimeout(() => void store.settle(key, body, call), lagMs);
        return body;
      },
    };
  },
} satisfies Record<string, (store: ObjectStore) => ObjectStore>;

export type BrokenStore = keyof typeof brokenStores;

const isEntry = (key: Key): boolean => key.includes('/log/');

const lagMs = 20;

async function contentOf(store: ObjectStore, key: Key): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  const stream = await store.read(key);
  if (stream === undefined) return undefined;
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
