import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';

/** A key that signatures are checked with. */
export interface PublicKey {
  /** Lower-case hex SHA-256 of the PEM text: how Model Signing names a key. */
  readonly fingerprint: string;
  readonly pem: string;
  verifies(content: Uint8Array, signature: Uint8Array): boolean;
}

/** A key that signs, with its public half. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** ECDSA in DER. Two signatures of the same content differ. */
  sign(content: Uint8Array): Uint8Array;
}

/** What Sigstore pairs with each curve. */
const hashOfCurve: Readonly<Record<string, string>> = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };

/** @throws {MlError} `ConfigInvalid` if this is no ECDSA private key. `where` is how the message calls it; the key itself is never in one. */
export function signingKey(pem: string, where: string): SigningKey {
  const key = parsed(() => createPrivateKey(pem), where, 'private');
  const hash = hashOf(key, where);
  return { publicKey: publicKeyOf(createPublicKey(key), hash), sign: (content) => sign(hash, content, key) };
}

/** @throws {MlError} `ConfigInvalid` if this is no ECDSA public key. */
export function publicKey(pem: string, where: string): PublicKey {
  const key = parsed(() => createPublicKey(pem), where, 'public');
  return publicKeyOf(key, hashOf(key, where));
}

/** The public keys in PEM files. @throws {MlError} `ConfigInvalid`, naming the file. */
export async function readPublicKeys(files: readonly string[]): Promise<readonly PublicKey[]> {
  return Promise.all(
    files.map(async (file) => {
      const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
        throw new MlError('ConfigInvalid', `the public key ${file} cannot be read: ${messageOf(cause)}`, { file }, { cause });
      });
      return publicKey(pem, file);
    }),
  );
}

function publicKeyOf(key: KeyObject, hash: string): PublicKey {
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const fingerprint = createHash('sha256').update(pem).digest('hex');
  return { fingerprint, pem, verifies: (content, signature) => verify(hash, content, key, signature) };
}

function parsed(parse: () => KeyObject, where: string, kind: 'private' | 'public'): KeyObject {
  try {
    return parse();
  } catch (cause) {
    throw new MlError('ConfigInvalid', `${where} is no ${kind} key in PEM: make one as docs/keys.md shows`, { where }, { cause });
  }
}

function hashOf(key: KeyObject, where: string): string {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown';
  const hash = hashOfCurve[curve];
  if (hash !== undefined) return hash;
  throw new MlError('ConfigInvalid', `${where} is a key of the kind ${curve}: signatures are ECDSA, with a key of P-256 as docs/keys.md makes it`, {
    where,
    curve,
  });
}
