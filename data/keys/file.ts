import { readFile } from 'node:fs/promises';
import { MlError } from '../../core/errors.ts';
import type { KeyProvider } from './key-provider.ts';

/** Files of the machine that reads, such as those an orchestrator mounts secrets as. */
export const file: KeyProvider<{ readonly file: string }> = (reference) => {
  const place = `file ${reference.file}`;
  return {
    place,
    read: () =>
      readFile(reference.file, 'utf8').catch((cause: unknown) => {
        throw new MlError('SecretMissing', `the secret's ${place} cannot be read`, { ...reference }, { cause });
      }),
  };
};
