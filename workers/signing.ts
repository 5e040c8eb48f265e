import type { SigningConfig } from '../core/config.ts';
import { openStoreSigner, requireSignature, type SignatureCheck, type StoreSigner } from '../registry/signatures.ts';
import type { SecretReference } from '../core/connection.ts';
import { readPublicKeys, signingKey, type SigningKey } from '../signing/keys.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { readSecret } from './config.ts';

/** What a worker signs with, where it is told of a key. @throws {MlError} `SecretMissing`, `ConfigInvalid` */
export async function openSigner(store: ObjectStore, blobs: Blobs, config: SigningConfig | undefined): Promise<StoreSigner | undefined> {
  return config?.key && openStoreSigner(store, blobs, await readSigningKey(config.key));
}

/** The private key that a reference names. @throws {MlError} `SecretMissing`, `ConfigInvalid` */
export async function readSigningKey(key: SecretReference): Promise<SigningKey> {
  return signingKey(await readSecret(key), 'env' in key ? `environment variable ${key.env}` : key.file);
}

/** What a server checks, where it is told whom to trust. An empty list trusts nobody. @throws {MlError} `ConfigInvalid` */
export async function openSignatureCheck(store: ObjectStore, config: SigningConfig | undefined): Promise<SignatureCheck | undefined> {
  return config?.trust === undefined ? undefined : requireSignature(store, await readPublicKeys(config.trust));
}
