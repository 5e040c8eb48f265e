import type { Call, Key, ObjectStore } from './object-store.ts';

/** A small object's bytes, whole. `undefined` if there is none. */
export async function readObject(store: ObjectStore, key: Key, call?: Call): Promise<Uint8Array | undefined> {
  const stream = await store.read(key, 0, call);
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

/** Requests that may be under way at once while many small objects are read. */
const concurrency = 32;

/** Reads many small objects; the results are in the order of `keys`, `undefined` where there is none. */
export async function readObjects(store: ObjectStore, keys: readonly Key[], call?: Call): Promise<(Uint8Array | undefined)[]> {
  const results: (Uint8Array | undefined)[] = Array.from({ length: keys.length });
  let next = 0;
  const readSome = async (): Promise<void> => {
    for (let at = next++; at < keys.length; at = next++) results[at] = await readObject(store, keys[at]!, call);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, keys.length) }, readSome));
  return results;
}

/** All keys with a prefix, in order. */
export async function keysOf(store: ObjectStore, prefix: string, after?: Key, call?: Call): Promise<Key[]> {
  const keys: Key[] = [];
  for await (const { key } of store.list(prefix, after, call)) keys.push(key);
  return keys;
}

async function firstKey(store: ObjectStore, prefix: string, after: Key | undefined, call?: Call): Promise<Key | undefined> {
  for await (const { key } of store.list(prefix, after, call)) return key;
  return undefined;
}

/** The names of the folders right below a prefix that ends in `/`, found by leaping from one to the next: a request for each, however much they hold. */
export async function namesBelow(store: ObjectStore, prefix: string, call?: Call): Promise<string[]> {
  const names: string[] = [];
  let key = await firstKey(store, prefix, undefined, call);
  while (key !== undefined) {
    const [name, ...rest] = key.slice(prefix.length).split('/') as [string, ...string[]];
    if (rest.length > 0) names.push(name);
    // "~" sorts behind every character of a key: this is after all that the folder holds.
    key = await firstKey(store, prefix, rest.length > 0 ? (`${prefix}${name}/~` as Key) : key, call);
  }
  return names;
}
