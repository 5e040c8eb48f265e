import type { Cipher } from '../core/cipher.ts';
import { openCipher } from '../stores/cipher.ts';
import { readSecret, type Security } from './config.ts';

/** The keys of a project, read here where they are; `undefined` where nothing is to be encrypted. @throws {MlError} as `openCipher` */
export const cipherOf = async ({ encryption }: Security): Promise<Cipher | undefined> => encryption && openCipher(encryption, readSecret);
