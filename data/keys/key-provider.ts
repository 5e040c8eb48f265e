/**
 * A place that keys and other secrets are kept in, one file each: it finds a secret by the reference that configuration holds.
 *
 * A key service fits in as a file here, a member of `SecretReference` and a line in `providers`: Vault reads the secret, a KMS unwraps one that lies
 * encrypted beside the data. Either way the worker holds a key only while it reads.
 */
export interface KeyProvider<Reference> {
  /** The place in words, for messages: `file keys/hospital.key`. */
  place(reference: Reference): string;
  /** The secret as it is kept; nothing or an empty text where there is none. @throws {MlError} `SecretMissing` where the place cannot be read. */
  read(reference: Reference): Promise<string | undefined>;
}
