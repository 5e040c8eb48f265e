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
