import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MlError } from '../core/errors.ts';
import { openFolderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';

/** One line a driver: the scheme of its URI, and how to open it. */
const drivers: Readonly<Record<string, (uri: URL) => Promise<ObjectStore>>> = {
  'file:': (uri) => openFolderStore(fileURLToPath(uri)),
  // The SDK takes a third of a second to load: only who has a bucket waits for it.
  's3:': async (uri) => (await import('./s3-store.ts')).openS3Store(uri),
};

/**
 * Opens the object store that a URI names, such as `file:///var/lib/perennial`. A path without a scheme is a folder.
 *
 * @throws {MlError} `ConfigInvalid` if no driver knows the scheme, `StoreUnavailable` if the store does not answer.
 */
export async function openStore(uri: string): Promise<ObjectStore> {
  if (!hasScheme(uri)) return openFolderStore(uri);
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const open = url && drivers[url.protocol];
  if (url && open) return open(url);
  throw new MlError('ConfigInvalid', `no object store is known for "${uri}": use one of ${Object.keys(drivers).join(', ')} or a path of a folder`, {
    uri,
  });
}

/**
 * Opens a store that is there already, to read it: where there is none, nothing is made. A bucket holds a store once it holds an object of it.
 *
 * @throws {MlError} `StoreMissing`, and what `openStore` throws.
 */
export async function openExistingStore(uri: string): Promise<ObjectStore> {
  const folder = URL.canParse(uri) && new URL(uri).protocol === 'file:' ? fileURLToPath(uri) : hasScheme(uri) ? undefined : uri;
  if (folder !== undefined && !(await isFolder(folder))) throw noStore(uri);
  const store = await openStore(uri);
  if (folder === undefined && !(await holdsAnything(store))) throw noStore(store.uri);
  return store;
}

// A drive letter ("C:\store") is no scheme.
const hasScheme = (uri: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(uri);

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function holdsAnything(store: ObjectStore): Promise<boolean> {
  for await (const _ of store.list('')) return true;
  return false;
}

const noStore = (uri: string): MlError =>
  new MlError(
    'StoreMissing',
    `there is no store at ${uri}: name the one that you mean (PERENNIAL_STORE, PERENNIAL_HOME), or start \`perennial dev\`, which makes one`,
    {
      store: uri,
    },
  );
