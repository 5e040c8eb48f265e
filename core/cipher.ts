import { MlError } from './errors.ts';

/** Bytes that only the holder of a key can read. */
export interface Encrypted {
  readonly keyId: string;
  /** Nonce, tag and ciphertext, in this order. */
  readonly bytes: Uint8Array;
}

/** Keys that are read already, so that nothing waits for them in the middle of a run. */
export interface Cipher {
  /** With the current key. */
  encrypt(plain: Uint8Array): Encrypted;
  /** With whichever key it was. @throws {MlError} `EncryptionKeyUnknown`; `DecryptionFailed` */
  decrypt(encrypted: Encrypted): Uint8Array;
}

/** Says whose key is missing, and which ones there are. */
export const encryptedWithUnknown = (keyId: string, known: readonly string[]): MlError =>
  new MlError(
    'EncryptionKeyUnknown',
    `this is encrypted with key "${keyId}", which is not configured here (known: ${known.join(', ') || 'none'}): add it to \`encryption.keys\``,
    { keyId, known },
  );
