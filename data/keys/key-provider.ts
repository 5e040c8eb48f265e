/**
 * A place that keys and other secrets are kept in, one file each: it finds a secret by the reference that configuration holds.
 *
 * A key service fits in as a file here, a member of `SecretReference` and a line in `data/secret.ts`: Vault reads the secret, a KMS unwraps one that lies
 * encrypted beside the data. Either way a key is held only while something is read.
 */
export type KeyProvider<Reference> = (reference: Reference) => KeptSecret;

export interface KeptSecret {
  /** Where it is, in words: `file keys/hospital.key`. */
  readonly place: string;
  /** As it is kept; nothing or an empty text where there is none. @throws {MlError} `SecretMissing` where the place cannot be read. */
  read(): Promise<string | undefined>;
}
