import type { ReadSecret } from '../core/connection.ts';
import { MlError } from '../core/errors.ts';
import { environment } from './keys/environment.ts';
import { file } from './keys/file.ts';

/**
 * Looks secrets up where their references say. The value is never in a message.
 *
 * @throws {MlError} `SecretMissing`
 */
export function secretReader(variables: Readonly<Record<string, string | undefined>>): ReadSecret {
  const providers = { env: environment(variables), file };
  return async (reference) => {
    const { place, value } =
      'env' in reference
        ? { place: providers.env.place(reference), value: await providers.env.read(reference) }
        : { place: providers.file.place(reference), value: await providers.file.read(reference) };
    const secret = value?.trim();
    if (secret !== undefined && secret !== '') return secret;
    throw new MlError('SecretMissing', `a secret is in ${place}, which is empty or not set: set it where the worker runs`, { ...reference });
  };
}
