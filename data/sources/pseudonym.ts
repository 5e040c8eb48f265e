import { createHmac } from 'node:crypto';
import { MlError } from '../../core/errors.ts';
import { placeOf } from '../secret.ts';
import { keyReference, type SourceRequest } from './reader.ts';

/** Replaces an id by what stands for it everywhere. */
export type Pseudonym = (id: string) => string;

/** Hexadecimal digits of a pseudonym: 128 bits, so that no two people get the same. */
const digits = 32;
const keyBytes = 32;

/** Keyed hashes by the connection's key. @throws {MlError} `SourceKeyMissing`, `SourceKeyInvalid`, `SecretMissing` */
export async function openPseudonyms(request: SourceRequest): Promise<Pseudonym> {
  const reference = keyReference(request, 'pseudonymKey', 'has pseudonyms');
  return pseudonymsBy(await request.readSecret(reference), placeOf(reference));
}

/** HMAC-SHA-256 by a key in base64. `place` is where it is, for messages. @throws {MlError} `SourceKeyInvalid` */
export function pseudonymsBy(secret: string, place: string): Pseudonym {
  const key = Buffer.from(secret, 'base64');
  if (key.length === keyBytes) return (id) => createHmac('sha256', key).update(id).digest('hex').slice(0, digits);
  throw new MlError(
    'SourceKeyInvalid',
    `the pseudonym key in ${place} is not ${keyBytes} bytes in base64 (it has ${key.length}): make one with \`openssl rand -base64 ${keyBytes}\``,
    { place, bytes: key.length },
  );
}

/** Tells keys apart and nothing of them: pseudonyms by another key are other people. */
export const keyMark = (pseudonym: Pseudonym): string => pseudonym('perennial pseudonym key').slice(0, 16);
