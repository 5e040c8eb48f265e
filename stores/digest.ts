import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Provenance } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import type { Call } from './object-store.ts';
import { stopIfAborted } from './store-error.ts';

/** Lower-case hex SHA-256 of bytes or of UTF-8 text. */
export const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

/** SHA-256 of a value's canonical JSON: equal values have equal digests. */
export const digestOf = (value: unknown): string => sha256(canonical(value));

/** The key of whatever this provenance makes. */
export const provenanceDigest = (provenance: Provenance): string => digestOf(provenance);

/**
 * SHA-256 and size of a file, read once, in constant memory.
 *
 * @throws {MlError} `Cancelled`. Errors of the file system stay as they are.
 */
export async function digestFile(path: string, { signal, onBytes }: Call = {}): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    stopIfAborted(signal, path);
    hash.update(chunk);
    bytes += chunk.length;
    onBytes?.(bytes);
  }
  return { sha256: hash.digest('hex'), bytes };
}
