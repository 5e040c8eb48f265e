import type { ReadSecret, SecretReference } from '../core/connection.ts';
import { MlError } from '../core/errors.ts';
import { environment } from './keys/environment.ts';
import { file } from './keys/file.ts';
import type { KeptSecret } from './keys/key-provider.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const kept = (reference: SecretReference, variables: Variables): KeptSecret =>
  'env' in reference ? environment(variables)(reference) : file(reference);

/**
 * Looks secrets up where their references say. The value is never in a message.
 *
 * @throws {MlError} `SecretMissing`
 */
export const secretReader =
  (variables: Variables): ReadSecret =>
  async (reference) => {
    const { place, read } = kept(reference, variables);
    const secret = (await read())?.trim();
    if (secret !== undefined && secret !== '') return secret;
    throw new MlError('SecretMissing', `a secret is in ${place}, which is empty or not set: set it where the worker runs`, { ...reference });
  };

/** Where a secret is, in words. */
export const placeOf = (reference: SecretReference): string => kept(reference, {}).place;
