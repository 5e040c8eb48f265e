import { readFile } from 'node:fs/promises';
import { MlError } from '../../core/errors.ts';
import type { KeyProvider } from './key-provider.ts';

const place = (reference: { readonly file: string }): string => `file ${reference.file}`;

/** Files of the machine that reads, such as those an orchestrator mounts secrets as. */
export const file: KeyProvider<{ readonly file: string }> = {
  place,
  read: (reference) =>
    readFile(reference.file, 'utf8').catch((cause: unknown) => {
      throw new MlError('SecretMissing', `the secret's ${place(reference)} cannot be read`, { ...reference }, { cause });
    }),
};
