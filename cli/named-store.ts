import { MlError } from '../core/errors.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { openExistingStore } from '../stores/open-store.ts';
import { Misuse } from './misuse.ts';

/** The store that an argument names, to read. @throws {Misuse} where there is none */
export async function storeNamed(uri: string): Promise<ObjectStore> {
  try {
    return await openExistingStore(uri);
  } catch (error) {
    if (error instanceof MlError && error.code === 'StoreMissing') throw new Misuse(error.code, error.message, error.facts, { cause: error });
    throw error;
  }
}
