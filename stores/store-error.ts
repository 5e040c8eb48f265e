import { MlError } from '../core/errors.ts';

/** Says what a file system or network error means for the object that it hit. Coded errors pass through unchanged. */
export function storeError(error: unknown, uri: string, object: string): MlError {
  if (error instanceof MlError) return error;
  const { code, name, message } = error as NodeJS.ErrnoException;
  const facts = { store: uri, object, cause: code ?? name };
  if (name === 'AbortError') return new MlError('Cancelled', `the transfer of "${object}" was cancelled`, facts, { cause: error });
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MlError('StoreFull', `no space is left in ${uri} for "${object}": free some; the write is tried again`, facts, { cause: error });
  }
  if (code === 'ENOTDIR' || code === 'EISDIR') {
    return new MlError('KeyInvalid', `"${object}" cannot be an object in ${uri}: an object is named as its folder, or a folder as it`, facts, {
      cause: error,
    });
  }
  if (code === 'ELOOP') return symbolicLink(uri, object);
  return new MlError('StoreUnavailable', `${uri} failed on "${object}": ${message}; check that the store is reachable and writable`, facts, {
    cause: error,
  });
}

/** A link could lead out of the store, and what it points to could change: neither is an object. */
export const symbolicLink = (uri: string, object: string): MlError =>
  new MlError('ArtifactCorrupt', `"${object}" in ${uri} is a symbolic link or lies behind one: put the file itself there`, { store: uri, object });

/** @throws {MlError} `Cancelled` once the signal has fired. */
export function stopIfAborted(signal: AbortSignal | undefined, object: string): void {
  if (signal?.aborted) throw new MlError('Cancelled', `the work on "${object}" was cancelled`, { object }, { cause: signal.reason });
}
