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
  // A drive letter ("C:\store") is no scheme.
  if (!/^[a-z][a-z0-9+.-]+:/i.test(uri)) return openFolderStore(uri);
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const open = url && drivers[url.protocol];
  if (url && open) return open(url);
  throw new MlError('ConfigInvalid', `no object store is known for "${uri}": use one of ${Object.keys(drivers).join(', ')} or a path of a folder`, {
    uri,
  });
}
