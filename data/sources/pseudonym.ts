import { createHmac } from 'node:crypto';
import type { SecretReference } from '../../core/connection.ts';
import { MlError } from '../../core/errors.ts';
import type { SourceRequest } from './reader.ts';

/** Replaces an id by what stands for it everywhere. */
export type Pseudonym = (id: string) => string;

/** Hexadecimal digits of a pseudonym: 128 bits, so that no two people get the same. */
const digits = 32;
const keyBytes = 32;

/** Keyed hashes by the connection's key. @throws {MlError} `SourceKeyMissing`, `SourceKeyInvalid`, `SecretMissing` */
export async function openPseudonyms(request: SourceRequest): Promise<Pseudonym> {
  const reference = keyReference(request, 'pseudonymKey', 'has pseudonyms');
  const key = Buffer.from(await request.readSecret(reference), 'base64');
  if (key.length !== keyBytes) {
    throw new MlError(
      'SourceKeyInvalid',
      `the pseudonym key in ${placeOf(reference)} is not ${keyBytes} bytes in base64 (it has ${key.length}): make one with \`openssl rand -base64 ${keyBytes}\``,
      { ...reference, bytes: key.length },
    );
  }
  return (id) => createHmac('sha256', key).update(id).digest('hex').slice(0, digits);
}

/** Tells keys apart and nothing of them: pseudonyms by another key are other people. */
export const keyMark = (pseudonym: Pseudonym): string => pseudonym('perennial pseudonym key').slice(0, 16);

/** The reference that a source needs of its connection. @throws {MlError} `SourceKeyMissing` */
export function keyReference({ name, source, connection }: SourceRequest, field: 'identity' | 'pseudonymKey', why: string): SecretReference {
  const reference = connection.kind === 'folder' ? connection[field] : undefined;
  if (reference !== undefined) return reference;
  const connectionName = source.from.slice(0, source.from.indexOf(':'));
  throw new MlError(
    'SourceKeyMissing',
    `source "${name}" (${source.from}) ${why}, and its connection names no key: add ${field}: { file: "…" } or { env: "…" } to "${connectionName}" in perennial.config.ts`,
    { source: name, connection: connectionName, field },
  );
}

export const placeOf = (reference: SecretReference): string =>
  'env' in reference ? `environment variable ${reference.env}` : `file ${reference.file}`;
