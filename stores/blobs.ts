import { createHash } from 'node:crypto';
import { chmod, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MlError } from '../core/errors.ts';
import { digestFile, sha256 as sha256Of } from './digest.ts';
import { halfCopy, removeHalfCopies } from './half-copies.ts';
import { key } from './key.ts';
import { makeFolder } from './make-folder.ts';
import { type Call, type Key, maxSettleBytes, type ObjectStore, settleInOrder, type SmallObject } from './object-store.ts';
import { stopIfAborted } from './store-error.ts';

/** Content by its SHA-256. Nobody gets bytes that were not checked. */
export interface Blobs {
  /** Stores a file's content. It is durable when this resolves; content that is there already, and intact, is not written again. */
  put(path: string, call?: Call): Promise<Blob>;
  putBytes(bytes: Uint8Array, call?: Call): Promise<Blob>;
  /** As `putBytes`, for at most 8 MiB, and then objects that name the content. Returns what stands at each of these. */
  putNamed(bytes: Uint8Array, by: readonly SmallObject[], call?: Call): Promise<readonly Uint8Array[]>;
  /** Size of what is stored, unverified. `undefined` if it is missing. */
  head(sha256: string): Promise<{ readonly bytes: number } | undefined>;
  /**
   * A local, read-only file with this content, verified.
   *
   * @throws {MlError} `ArtifactMissing`; `ArtifactCorrupt` if the bytes that are stored are others.
   */
  open(sha256: string, call?: Call): Promise<string>;
  /** The content itself, for what fits in memory. Throws as `open`. */
  readBytes(sha256: string, call?: Call): Promise<Uint8Array>;
}

export interface Blob {
  readonly sha256: string;
  readonly bytes: number;
}

export const blobOf = (bytes: Uint8Array): Blob => ({ sha256: sha256Of(bytes), bytes: bytes.length });

/** Where the content with this hash lies: `blobs/sha256/ab/<hex>`. */
export function blobKey(sha256: string): Key {
  if (/^[0-9a-f]{64}$/.test(sha256)) return key(`blobs/sha256/${sha256.slice(0, 2)}/${sha256}`);
  throw new MlError('KeyInvalid', `"${sha256}" is no SHA-256: write 64 lower-case hexadecimal digits`, { sha256 });
}

/**
 * Opens the blobs of a store. `cacheFolder` takes verified copies from stores whose objects are not local files; it may be shared by processes, and
 * deleted while none runs.
 */
export async function openBlobs(store: ObjectStore, cacheFolder: string): Promise<Blobs> {
  await makeFolder(cacheFolder);
  await removeHalfCopies(cacheFolder);
  /** How each file looked when it was verified: one that looks different is verified again. */
  const verified = new Map<string, string>();

  async function put(path: string, call: Call = {}): Promise<Blob> {
    const blob = await digestFile(path, call);
    await store.upload(blobKey(blob.sha256), { path, ...blob }, call);
    return blob;
  }

  async function putBytes(bytes: Uint8Array, call: Call = {}): Promise<Blob> {
    if (bytes.length <= maxSettleBytes) await putNamed(bytes, [], call);
    else await replace(bytes, call);
    return blobOf(bytes);
  }

  async function putNamed(bytes: Uint8Array, by: readonly SmallObject[], call: Call = {}): Promise<readonly Uint8Array[]> {
    const { sha256 } = blobOf(bytes);
    const [content, ...standing] = await settleInOrder(store, [{ key: blobKey(sha256), body: bytes }, ...by], call);
    // What stands there may be damaged.
    if (content !== bytes && sha256Of(content!) !== sha256) await replace(bytes, call);
    return standing;
  }

  async function replace(bytes: Uint8Array, call: Call): Promise<void> {
    const blob = blobOf(bytes);
    const path = halfCopy(join(cacheFolder, blob.sha256));
    try {
      await writeFile(path, bytes);
      await store.upload(blobKey(blob.sha256), { path, ...blob }, call);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Verifies a local file once; `false` if it is missing. */
  async function verify(sha256: string, path: string, call: Call): Promise<boolean> {
    const look = await appearance(path);
    if (look === undefined) return false;
    if (verified.get(path) === look) return true;
    const found = await digestFile(path, call);
    if (found.sha256 !== sha256) throw corrupt(store, sha256, found);
    verified.set(path, look);
    return true;
  }

  /** As `verify`, for a copy in the cache: a damaged one is as good as none. */
  async function verifyCopy(sha256: string, path: string, call: Call): Promise<boolean> {
    try {
      return await verify(sha256, path, call);
    } catch (error) {
      if (error instanceof MlError && error.code === 'ArtifactCorrupt') return false;
      throw error;
    }
  }

  async function openBlob(sha256: string, call: Call = {}): Promise<string> {
    stopIfAborted(call.signal, sha256);
    const object = blobKey(sha256);
    if (store.pathOf) {
      const path = await store.pathOf(object);
      if (await verify(sha256, path, call)) return path;
      throw missing(store, sha256);
    }
    const path = join(cacheFolder, sha256);
    if (!(await verifyCopy(sha256, path, call))) {
      await download(object, sha256, path, call);
      verified.set(path, (await appearance(path)) ?? '');
    }
    return path;
  }

  async function download(object: Key, sha256: string, path: string, call: Call): Promise<void> {
    const stream = await store.read(object, 0, call);
    if (stream === undefined) throw missing(store, sha256);
    const temporary = halfCopy(path);
    try {
      const file = await open(temporary, 'wx');
      const hash = createHash('sha256');
      let bytes = 0;
      try {
        for await (const chunk of stream) {
          hash.update(chunk);
          await file.appendFile(chunk);
          bytes += chunk.length;
          call.onBytes?.(bytes);
        }
      } finally {
        await file.close();
      }
      const found = { sha256: hash.digest('hex'), bytes };
      if (found.sha256 !== sha256) throw corrupt(store, sha256, found);
      await chmod(temporary, 0o444);
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  return {
    put,
    putBytes,
    putNamed,
    head: (sha256) => store.head(blobKey(sha256)),
    open: openBlob,
    readBytes: async (sha256, call) => readFile(await openBlob(sha256, call)),
  };
}

/** Changes whenever somebody writes, replaces or truncates the file. */
async function appearance(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return [ino, size, mtimeMs, ctimeMs].join();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const missing = (store: ObjectStore, sha256: string): MlError =>
  new MlError('ArtifactMissing', `${blobKey(sha256)} is not in ${store.uri}: run what made it again, or restore it from a copy of the store`, {
    store: store.uri,
    sha256,
  });

const corrupt = (store: ObjectStore, sha256: string, found: Blob): MlError =>
  new MlError(
    'ArtifactCorrupt',
    `${blobKey(sha256)} in ${store.uri} was altered: it has ${found.bytes} bytes with SHA-256 ${found.sha256}. Remove it and run what made it again, or restore it from a copy of the store`,
    { store: store.uri, sha256, found },
  );
