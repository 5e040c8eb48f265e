import { createHash } from 'node:crypto';
import { MlError } from '../core/errors.ts';
import type { Key } from './object-store.ts';

/** Bytes of a whole key, as S3 servers and signed URLs carry them without trouble. */
const maxKeyBytes = 512;
/** Bytes of one segment: the longest file name that ext4, APFS and NTFS share. */
const maxSegmentBytes = 255;

const segment = /^[a-z0-9][a-z0-9._=-]*$/;

/** Whether a name, of a file in a store's folder say, can be one segment of a key. */
export const isKeySegment = (text: string): boolean => text.length <= maxSegmentBytes && segment.test(text);

/**
 * Parses an object's key: lower-case segments joined by `/`.
 *
 * @throws {MlError} `KeyInvalid` if some file system or object store could not hold it.
 */
export function key(text: string): Key {
  if (text.length <= maxKeyBytes && text.split('/').every(isKeySegment)) return text as Key;
  throw new MlError(
    'KeyInvalid',
    `"${text.slice(0, 100)}" cannot be a key: write segments of a-z, 0-9 and . _ = - that begin with a letter or digit, joined by "/", ${maxKeyBytes} bytes at most (${maxSegmentBytes} a segment)`,
    { key: text },
  );
}

/**
 * Checks the prefix of a listing: the beginning of a key, cut anywhere, or nothing.
 *
 * @throws {MlError} `KeyInvalid` if no key can begin so.
 */
export function keyPrefix(text: string): string {
  key(text === '' || text.endsWith('/') ? `${text}0` : text);
  return text;
}

/** One segment of a key for any text (a step's name, a run's id): the text itself where the grammar allows it, else a readable and unique stand-in. */
export function keySegment(text: string): string {
  if (text.length <= 100 && isKeySegment(text)) return text;
  const readable = text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-/, '');
  return `${readable}${readable === '' ? '' : '.'}${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}
