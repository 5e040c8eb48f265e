import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream, type Dirent } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MlError } from '../core/errors.ts';
import { digestFile } from './digest.ts';
import { isKeySegment, key as parseKey, keyPrefix } from './key.ts';
import { makeFolder } from './make-folder.ts';
import { type Call, type Key, maxSettleBytes, type ObjectStore, type SmallObject } from './object-store.ts';
import { stopIfAborted, storeError, symbolicLink } from './store-error.ts';
import { syncFolder } from './sync-folder.ts';

/** Unfinished writes; the leading dot keeps it out of every key. */
const unfinished = '.unfinished';
/** An unfinished write this old belongs to a process that died. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;
const chunkBytes = 1 << 20;
/** Files looked at in one go while listing. */
const pageOfFiles = 64;
/** Objects never change, so nobody may write to them, not even by accident through a verified path. */
const readOnly = 0o444;

/** Absent on Windows, where creating a link needs a privilege anyway. */
const noFollow = constants.O_NOFOLLOW ?? 0;

const causedBy = (error: unknown, ...codes: string[]): boolean => codes.includes((error as NodeJS.ErrnoException).code ?? '');

/**
 * An object store in a folder, which any number of processes may use at once.
 *
 * A write goes to a file of its own, is flushed, and only then gets its name, so a crash leaves a whole object or none. Creating the name is exclusive
 * (`link`), which needs a file system with hard links: any native one, and NFS. An interrupted upload starts again: on one machine that costs no more
 * than checking what was there.
 *
 * @throws {MlError} `StoreUnavailable` if the folder cannot be made or written.
 */
export async function openFolderStore(folder: string): Promise<ObjectStore> {
  const wanted = resolve(folder);
  const uri = pathToFileURL(wanted).href;
  const guarded = async <T>(object: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(error, uri, object);
    }
  };

  const root = await openRoot(wanted, uri);
  const place = (key: Key): string => join(root, ...key.split('/'));

  /** The object's path, after a look that no folder on the way leads elsewhere. `undefined` where a folder is missing. */
  async function findPlace(key: Key): Promise<string | undefined> {
    const path = place(parseKey(key));
    try {
      if ((await realpath(dirname(path))) !== dirname(path)) throw symbolicLink(uri, key);
      return path;
    } catch (error) {
      if (causedBy(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  /** Folders that are there, each with the flush of its own name: a write waits for it at its end, not before it begins. */
  const durable = new Map<string, Promise<void>>([[root, Promise.resolve()]]);

  /** Whether it was this call that made the folder: then it is empty, and no link. */
  async function prepareFolder(path: string): Promise<boolean> {
    if (durable.has(path)) return false;
    const parent = dirname(path);
    await prepareFolder(parent);
    if ((await realpath(parent)) !== parent) throw symbolicLink(uri, relative(root, path));
    const made = await mkdir(path).then(
      () => true,
      (error: unknown) => {
        if (!causedBy(error, 'EEXIST')) throw error;
        return false;
      },
    );
    const flushed = syncFolder(parent);
    durable.set(path, flushed);
    flushed.catch(() => durable.delete(path));
    return made;
  }

  /** Makes the name of an object durable, and those of the folders that it lies in. */
  async function flushNames(path: string): Promise<void> {
    const flushes = [syncFolder(dirname(path))];
    for (let folder = dirname(path); folder !== root; folder = dirname(folder)) flushes.push(durable.get(folder) ?? syncFolder(dirname(folder)));
    await Promise.all(flushes);
  }

  /** As `findPlace`, and makes the folders. `fresh`: nothing lies in its folder yet. */
  async function makePlace(key: Key): Promise<{ readonly path: string; readonly fresh: boolean }> {
    const folder = dirname(place(parseKey(key)));
    const found = durable.has(folder) ? await findPlace(key) : undefined;
    if (found !== undefined) return { path: found, fresh: false };
    // A folder that we made may have been removed since, and with it those below and above.
    if (durable.has(folder)) forgetFolders();
    const fresh = await prepareFolder(folder).catch((error: unknown) => {
      if (!causedBy(error, 'ENOENT')) throw error;
      forgetFolders();
      return prepareFolder(folder);
    });
    return { path: (fresh ? undefined : await findPlace(key)) ?? place(key), fresh };
  }

  function forgetFolders(): void {
    durable.clear();
    durable.set(root, Promise.resolve());
  }

  const newDraft = (): string => join(root, unfinished, randomUUID());

  async function settleTogether(objects: readonly SmallObject[], call: Call = {}): Promise<readonly Uint8Array[]> {
    const drafts = await Promise.allSettled(objects.map((object) => guarded(object.key, () => draft(object))));
    try {
      const places = drafts.map((each) => {
        if (each.status === 'rejected') throw each.reason;
        return each.value;
      });
      const ours: boolean[] = [];
      for (const [at, { path, draft }] of places.entries()) {
        stopIfAborted(call.signal, objects[at]!.key);
        ours.push(draft !== undefined && (await createAt(path, draft)));
      }
      // The winner may not have got so far: what we report as standing must outlive a power cut too.
      await Promise.all(places.map(({ path }) => flushNames(path)));
      return await Promise.all(places.map(({ path }, at) => (ours[at] ? Promise.resolve(objects[at]!.body) : readWhole(path))));
    } finally {
      const written = drafts.flatMap((each) => (each.status === 'fulfilled' && each.value.draft !== undefined ? [each.value.draft] : []));
      await Promise.all(written.map((each) => unlink(each)));
    }
  }

  /** Where an object belongs, and its durable content under another name; none where something stands already. */
  async function draft({ key, body }: SmallObject): Promise<{ readonly path: string; readonly draft?: string }> {
    if (body.length > maxSettleBytes) {
      throw new MlError('ObjectTooLarge', `"${key}" has ${body.length} bytes; ${maxSettleBytes} can be settled: upload it`, {
        key,
        bytes: body.length,
      });
    }
    const { path, fresh } = await makePlace(key);
    if (!fresh && (await exists(path))) return { path };
    const draft = newDraft();
    try {
      await writeDurable(draft, body.length, (file) => file.writeFile(body));
      return { path, draft };
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async function upload(key: Key, file: { path: string; sha256: string; bytes: number }, call: Call = {}): Promise<void> {
    const { path } = await makePlace(key);
    const intact = (await sizeOf(path)) === file.bytes && (await digestFile(path, call)).sha256 === file.sha256;
    if (!intact) {
      const draft = newDraft();
      try {
        await writeDurable(draft, file.bytes, (target) => copyVerified(file, target, call));
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    }
    await flushNames(path);
    call.onBytes?.(file.bytes);
  }

  async function* bytesOf(key: Key, path: string, from: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const file = await open(path, constants.O_RDONLY | noFollow);
      // Most objects are small: a buffer of a chunk for each would keep the garbage collector busier than the disk.
      const left = (await file.stat()).size - from;
      const highWaterMark = Math.min(chunkBytes, Math.max(1, left));
      yield* file.createReadStream({ start: from, highWaterMark, ...(signal && { signal }) }) as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw storeError(error, uri, key);
    }
  }

  async function* listFolder(folderPrefix: string, prefix: string, after: string, signal?: AbortSignal): AsyncGenerator<{ key: Key; bytes: number }> {
    stopIfAborted(signal, prefix);
    const entries = await entriesOf(join(root, folderPrefix));
    const wantedKeys = entries
      // A folder takes its place among the keys by the "/" that follows its name in each of them.
      .map((entry) => ({ name: folderPrefix + entry.name + (entry.isDirectory() ? '/' : ''), entry }))
      .filter(({ name, entry }) => (entry.isDirectory() ? mayHold(name, prefix, after) : name.startsWith(prefix) && name > after))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (let start = 0; start < wantedKeys.length; start += pageOfFiles) {
      stopIfAborted(signal, prefix);
      const page = wantedKeys.slice(start, start + pageOfFiles);
      const sizes = await Promise.all(page.map(async ({ entry, name }) => (entry.isFile() ? sizeOf(join(root, name)) : undefined)));
      for (const [at, { entry, name }] of page.entries()) {
        const bytes = sizes[at];
        if (entry.isDirectory()) yield* listFolder(name, prefix, after, signal);
        else if (bytes !== undefined) yield { key: name as Key, bytes };
      }
    }
  }

  return {
    uri,
    settle: (key, body, call) => guarded(key, async () => (await settleTogether([{ key, body }], call))[0]!),
    settleTogether: (objects, call) => guarded(objects[0]!.key, () => settleTogether(objects, call)),
    upload: (key, file, call) => guarded(key, () => upload(key, file, call)),
    read: (key, from = 0, call = {}) =>
      guarded(key, async () => {
        stopIfAborted(call.signal, key);
        const path = await findPlace(key);
        return path !== undefined && (await exists(path)) ? bytesOf(key, path, from, call.signal) : undefined;
      }),
    head: (key) =>
      guarded(key, async () => {
        const path = await findPlace(key);
        const found = path === undefined ? undefined : await look(path);
        return found && { bytes: found.size, modified: found.mtime };
      }),
    async *list(prefix, after = '' as Key, call = {}) {
      const start = keyPrefix(prefix).slice(0, prefix.lastIndexOf('/') + 1);
      try {
        yield* listFolder(start, prefix, after, call.signal);
      } catch (error) {
        throw storeError(error, uri, prefix);
      }
    },
    remove: (key) =>
      guarded(key, async () => {
        const path = await findPlace(key);
        if (path === undefined || !(await exists(path))) return;
        await rm(path, { force: true });
        await syncFolder(dirname(path));
      }),
    pathOf: (key) => guarded(key, async () => (await findPlace(key)) ?? place(key)),
  };
}

async function openRoot(folder: string, uri: string): Promise<string> {
  try {
    await makeFolder(join(folder, unfinished));
    await syncFolder(dirname(folder));
    await removeAbandoned(join(folder, unfinished));
    return await realpath(folder);
  } catch (error) {
    throw new MlError(
      'StoreUnavailable',
      `${uri} cannot be a store: ${(error as Error).message}; name a folder that this user may write`,
      { store: uri },
      { cause: error },
    );
  }
}

/** Whether a key that begins with `folder` can be one that is asked for. */
const mayHold = (folder: string, prefix: string, after: string): boolean =>
  (folder.startsWith(prefix) || prefix.startsWith(folder)) && (folder > after || after.startsWith(folder));

/** What a folder holds that can be a part of a key: strangers' files (`.DS_Store`) and links are none. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => isKeySegment(entry.name) && (entry.isFile() || entry.isDirectory()));
  } catch (error) {
    if (causedBy(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** @throws `ELOOP` if it is a symbolic link. */
async function look(path: string): Promise<{ size: number; mtime: Date } | undefined> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) throw Object.assign(new Error(`${path} is a symbolic link`), { code: 'ELOOP' });
    return found.isFile() ? found : undefined;
  } catch (error) {
    if (causedBy(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

const sizeOf = async (path: string): Promise<number | undefined> => (await look(path))?.size;
const exists = async (path: string): Promise<boolean> => (await look(path)) !== undefined;

/** Gives an object its name, unless it is taken. */
async function createAt(path: string, draft: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (causedBy(error, 'EEXIST')) return false;
    throw error;
  }
}

async function writeDurable(path: string, bytes: number, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'wx', readOnly);
  try {
    await write(file);
    // An empty object is all name, which is flushed with its folder.
    if (bytes > 0) await file.sync();
  } finally {
    await file.close();
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | noFollow);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Copies a file, and checks on the way that it is what was promised. */
async function copyVerified(file: { path: string; sha256: string; bytes: number }, target: FileHandle, call: Call): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  const source = createReadStream(file.path, { highWaterMark: chunkBytes, ...(call.signal && { signal: call.signal }) });
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    await target.appendFile(chunk);
    bytes += chunk.length;
    call.onBytes?.(bytes);
  }
  const sha256 = hash.digest('hex');
  if (sha256 === file.sha256 && bytes === file.bytes) return;
  throw new MlError(
    'ArtifactCorrupt',
    `${file.path} has ${bytes} bytes with SHA-256 ${sha256}, not ${file.bytes} with ${file.sha256}: it changed after it was hashed; make it again`,
    { ...file, found: { sha256, bytes } },
  );
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined); // its writer has just finished
    if (found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs) await rm(path, { force: true });
  }
}
