import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { MlError } from '../core/errors.ts';
import { blobKey, openBlobs } from './blobs.ts';
import type { Call, Key, ObjectStore } from './object-store.ts';
import { namesBelow, readObject } from './read-object.ts';
import { stopIfAborted } from './store-error.ts';

/** Hints and indices that are made again from the rest, where they are missed. */
const derived: ReadonlySet<string> = new Set(['changes', 'folded', 'index', 'lineage-feed', 'probe']);
/** What nothing else names stands at the end: content first, then what tells of it, then the logs, then who has seen how much of them. */
const last = ['models', 'seen'];
const rankOf = (name: string): number => (name === 'blobs' ? -1 : last.indexOf(name) + 1);
const parallel = 8;

export interface CopyOptions {
  /** A folder of its own, for content on its way from one store to another. */
  readonly scratch: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Copied {
  readonly from: string;
  readonly to: string;
  /** Objects and bytes that were written now. */
  readonly objects: number;
  readonly bytes: number;
  /** Objects that stood there already, the same to the byte. */
  readonly already: number;
}

interface Listed {
  readonly key: Key;
  readonly bytes: number;
}

/**
 * Copies what a store holds into another one, whichever drivers they have. Every object is read back from the target: content by its hash, the rest byte
 * for byte. A copy that was broken off goes on, as what stands there is not sent again.
 *
 * Content comes first and the logs come last, entry by entry: at no moment does an entry of the target name what is not there. The source is listed
 * the other way round, so that this also holds while somebody writes to it; what is written meanwhile comes with the next copy.
 *
 * @throws {MlError} `StoreConflict` if other bytes stand in the target: it has a history of its own. `ArtifactCorrupt` if content of the source is damaged.
 */
export async function copyStore(from: ObjectStore, to: ObjectStore, { scratch, signal, onProgress }: CopyOptions): Promise<Copied> {
  const call: Call = signal === undefined ? {} : { signal };
  const folders = await foldersOf(from, call);
  const total = folders.reduce((sum, { objects }) => sum + objects.length, 0);
  const blobs = await openBlobs(from, scratch);
  const copied = { from: from.uri, to: to.uri, objects: 0, bytes: 0, already: 0 };

  async function copyBlob({ key, bytes }: Listed): Promise<boolean> {
    const sha256 = key.slice(key.lastIndexOf('/') + 1);
    if (blobKey(sha256) !== key) return copyRecord({ key, bytes });
    if ((await digestAt(to, key, call)) === sha256) return false;
    const path = await blobs.open(sha256, call);
    try {
      await to.upload(key, { path, sha256, bytes }, call);
    } finally {
      if (from.pathOf === undefined) await rm(path, { force: true });
    }
    const found = await digestAt(to, key, call);
    if (found !== sha256) throw altered(to, key, found);
    return true;
  }

  async function copyRecord({ key }: Listed): Promise<boolean> {
    const body = await readObject(from, key, call);
    // A checkpoint, say, whose model is kept by now.
    if (body === undefined) return false;
    const before = await readObject(to, key, call);
    if (before === undefined) await to.settle(key, body, call);
    const found = before ?? (await readObject(to, key, call));
    if (found === undefined || !Buffer.from(body).equals(found)) throw conflict(from, to, key);
    return before === undefined;
  }

  await refuseOtherHistory(from, to, folders, call);
  for (const { name, objects } of folders) {
    const copy = name === 'blobs' ? copyBlob : copyRecord;
    // One entry after another: a log that is cut off in the middle is a shorter log.
    await eachOf(objects, last.includes(name) ? 1 : parallel, async (listed) => {
      stopIfAborted(signal, listed.key);
      if (await copy(listed)) {
        copied.objects++;
        copied.bytes += listed.bytes;
      } else copied.already++;
      onProgress?.(copied.objects + copied.already, total);
    });
  }
  return copied;
}

interface Folder {
  readonly name: string;
  readonly objects: readonly Listed[];
}

/** What is to be copied, in the order of the copy. */
async function foldersOf(store: ObjectStore, call: Call): Promise<Folder[]> {
  const names = (await namesBelow(store, '', call)).filter((name) => !derived.has(name));
  const backwards = names.sort((a, b) => rankOf(b) - rankOf(a));
  const folders: Folder[] = [];
  for (const name of backwards) {
    const objects: Listed[] = [];
    for await (const listed of store.list(`${name}/`, undefined, call)) objects.push(listed);
    folders.unshift({ name, objects });
  }
  return folders;
}

/** A log that differs anywhere is found before anything is written. */
async function refuseOtherHistory(from: ObjectStore, to: ObjectStore, folders: readonly Folder[], call: Call): Promise<void> {
  const ours = new Set(folders.flatMap(({ name, objects }) => (name === 'models' ? objects.map(({ key }) => key) : [])));
  for await (const { key } of to.list('models/', undefined, call)) {
    const [a, b] = [ours.has(key) ? await readObject(from, key, call) : undefined, await readObject(to, key, call)];
    if (a === undefined || b === undefined || !Buffer.from(a).equals(b)) throw conflict(from, to, key);
  }
}

async function digestAt(store: ObjectStore, key: Key, call: Call): Promise<string | undefined> {
  const stream = await store.read(key, 0, call);
  if (stream === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

/** Runs `work` on all, some at once. The first failure stops the rest, and is thrown when none is under way any more. */
async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const workSome = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      try {
        await work(items[at]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, workSome));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

const conflict = (from: ObjectStore, to: ObjectStore, object: Key): MlError =>
  new MlError(
    'StoreConflict',
    `"${object}" in ${to.uri} is not what it is in ${from.uri}: the target has a history of its own, or is damaged (\`perennial verify ${to.uri}\`); copy into an empty store`,
    { from: from.uri, to: to.uri, object },
  );

const altered = (to: ObjectStore, object: Key, found: string | undefined): MlError =>
  new MlError(
    'ArtifactCorrupt',
    `"${object}" was written to ${to.uri} and reads back with SHA-256 ${found ?? 'of nothing'}: that store is not safe`,
    {
      store: to.uri,
      object,
      found,
    },
  );
