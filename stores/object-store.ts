/** Lower-case segments `[a-z0-9][a-z0-9._=-]*` joined by `/`, at most 512 bytes: every file system agrees on them. */
export type Key = string & { readonly brand: 'Key' };

export interface Call {
  readonly signal?: AbortSignal;
  /** Called about every MiB that was hashed, copied or sent, so that whoever waits knows that it goes on. */
  readonly onBytes?: (done: number) => void;
}

/** An object that one request carries. */
export interface SmallObject {
  readonly key: Key;
  readonly body: Uint8Array;
}

/** Objects are written once. When a write resolves it is durable, and every reader and lister sees it. */
export interface ObjectStore {
  readonly uri: string;
  /** Atomic create, at most 8 MiB. Returns the bytes that stand at `key`: ours, or those of whoever was first. */
  settle(key: Key, body: Uint8Array, call?: Call): Promise<Uint8Array>;
  /**
   * Several objects, each as `settle` does it, none there before those ahead of it. All are durable when it resolves, for one wait for the disk: absent
   * where it could do no better than `settleInOrder`, which callers use.
   */
  settleTogether?(objects: readonly SmallObject[], call?: Call): Promise<readonly Uint8Array[]>;
  /** Any size; `key` contains `sha256`. Resumes earlier attempts. Racing uploads of one key are harmless. */
  upload(key: Key, file: { readonly path: string; readonly sha256: string; readonly bytes: number }, call?: Call): Promise<void>;
  /** Unverified bytes, from `from` on. Only blobs and log call this (linted). */
  read(key: Key, from?: number, call?: Call): Promise<AsyncIterable<Uint8Array> | undefined>;
  head(key: Key): Promise<{ readonly bytes: number; readonly modified: Date } | undefined>;
  /** Keys after `after`, ascending by the UTF-8 bytes of the whole key (`a-b/x`, `a.json`, `a/x`). */
  list(prefix: string, after?: Key, call?: Call): AsyncIterable<{ readonly key: Key; readonly bytes: number }>;
  /** For the sweeper, and for a fit's checkpoints once its model is kept. */
  remove(key: Key): Promise<void>;
  /** Where an object lies, in a driver whose objects are read-only files of this machine: `Blobs` then verifies it in place and copies nothing. */
  pathOf?(key: Key): Promise<string>;
}

/** Largest body of `settle`: one request of any object store, and small enough to hold in memory. */
export const maxSettleBytes = 8 * 1024 * 1024;

/** Settles objects of which the later ones name the earlier ones. Returns what stands at each. */
export async function settleInOrder(store: ObjectStore, objects: readonly SmallObject[], call?: Call): Promise<readonly Uint8Array[]> {
  if (store.settleTogether) return store.settleTogether(objects, call);
  const standing: Uint8Array[] = [];
  for (const { key, body } of objects) standing.push(await store.settle(key, body, call));
  return standing;
}
