import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { encryptedWithUnknown } from '../core/cipher.ts';
import type { Cipher } from '../core/cipher.ts';
import type { EncryptionConfig } from '../core/config.ts';
import type { ReadSecret } from '../core/connection.ts';
import { MlError } from '../core/errors.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM. The key's id is authenticated with the text, so that nobody can relabel it. The nonce is random: a key is good for some four thousand
 * million texts.
 *
 * @throws {MlError} `SecretMissing`; `EncryptionKeyInvalid` if one of the keys is not 32 bytes in base64.
 */
export async function openCipher({ current, keys: references }: EncryptionConfig, readSecret: ReadSecret): Promise<Cipher> {
  const keys = new Map(
    await Promise.all(Object.entries(references).map(async ([id, reference]) => [id, keyOf(id, await readSecret(reference))] as const)),
  );
  const known = (id: string): Buffer => {
    const key = keys.get(id);
    if (key !== undefined) return key;
    throw encryptedWithUnknown(id, [...keys.keys()]);
  };
  const currentKey = known(current);
  return {
    encrypt(plain) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', currentKey, nonce).setAAD(Buffer.from(current));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return { keyId: current, bytes: Buffer.concat([nonce, cipher.getAuthTag(), text]) };
    },
    decrypt({ keyId, bytes }) {
      const key = known(keyId);
      try {
        const [nonce, tag, text] = [
          bytes.subarray(0, nonceBytes),
          bytes.subarray(nonceBytes, nonceBytes + tagBytes),
          bytes.subarray(nonceBytes + tagBytes),
        ];
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(keyId)).setAuthTag(tag);
        return Buffer.concat([decipher.update(text), decipher.final()]);
      } catch (cause) {
        throw new MlError(
          'DecryptionFailed',
          `what key "${keyId}" encrypted does not open with the key of that id: it was altered, or the id names another key here`,
          { keyId },
          { cause },
        );
      }
    },
  };
}

/** The key itself is in no message. */
function keyOf(id: string, text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  // Buffer reads over what is no base64.
  if (key.length === keyBytes && /^[A-Za-z0-9+/]{43}=$/.test(text)) return key;
  throw new MlError(
    'EncryptionKeyInvalid',
    `encryption key "${id}" is not ${keyBytes} bytes in base64 (it has ${key.length}): make one with \`openssl rand -base64 ${keyBytes}\``,
    { keyId: id, bytes: key.length },
  );
}
