import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { key as parseKey, keyPrefix } from '../../stores/key.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';

/** A store whose objects are no local files, as S3's are not: what needs a cache is tested on it. Faults can be put in by `before`. */
export function createStoreInMemory(
  before: (what: keyof ObjectStore, key: string) => void = () => {},
): ObjectStore & { readonly objects: Map<string, Buffer> } {
  const objects = new Map<string, Buffer>();
  return {
    objects,
    uri: 'memory:',
    async settle(key, body) {
      before('settle', parseKey(key));
      if (!objects.has(key)) objects.set(key, Buffer.from(body));
      return Buffer.from(objects.get(key)!);
    },
    async upload(key, file) {
      before('upload', parseKey(key));
      const bytes = await readFile(file.path);
      if (createHash('sha256').update(bytes).digest('hex') !== file.sha256) throw new Error('other bytes');
      objects.set(key, bytes);
    },
    async read(key, from = 0) {
      before('read', parseKey(key));
      const body = objects.get(key)?.subarray(from);
      return (
        body &&
        (async function* () {
          yield body.subarray(0, 3);
          yield body.subarray(3);
        })()
      );
    },
    async head(key) {
      before('head', parseKey(key));
      const body = objects.get(key);
      return body && { bytes: body.length, modified: new Date(0) };
    },
    async *list(prefix, after = '' as Key) {
      before('list', keyPrefix(prefix));
      for (const key of [...objects.keys()].sort()) {
        if (key.startsWith(prefix) && key > after) yield { key: key as Key, bytes: objects.get(key)!.length };
      }
    },
    async remove(key) {
      before('remove', parseKey(key));
      objects.delete(key);
    },
  };
}
