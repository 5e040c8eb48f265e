import { readFile } from 'node:fs/promises';
import type { ReadSecret } from '../core/connection.ts';
import { MlError } from '../core/errors.ts';

/**
 * Looks secrets up in files and in the given environment. The value is never in a message.
 *
 * @throws {MlError} `SecretMissing`
 */
export const secretReader =
  (environment: Readonly<Record<string, string | undefined>>): ReadSecret =>
  async (reference) => {
    const place = 'env' in reference ? `environment variable ${reference.env}` : `file ${reference.file}`;
    const value =
      'env' in reference
        ? environment[reference.env]
        : await readFile(reference.file, 'utf8').catch((cause: unknown) => {
            throw new MlError('SecretMissing', `the secret's ${place} cannot be read`, { ...reference }, { cause });
          });
    const secret = value?.trim();
    if (secret !== undefined && secret !== '') return secret;
    throw new MlError('SecretMissing', `a secret is in ${place}, which is empty or not set: set it where the worker runs`, {
      ...reference,
    });
  };
