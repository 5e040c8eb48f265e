import { MlError } from '../core/errors.ts';
import type { PackageManifest } from '../core/manifest.ts';
import { signBundle } from '../signing/bundle.ts';
import type { PublicKey, SigningKey } from '../signing/keys.ts';
import { fileDifferences, openModelSignature, type SignedFile, signModel } from '../signing/model-signature.ts';
import type { Blobs } from '../stores/blobs.ts';
import { sha256 } from '../stores/digest.ts';
import { key } from '../stores/key.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObject } from '../stores/read-object.ts';

/** Signs packages and records of runs with one key. ECDSA is randomised: the first signature of a key stands. */
export interface StoreSigner {
  /** Of its key. */
  readonly fingerprint: string;
  package(digest: string): Promise<void>;
  /** The bytes of a run's record as they lie in the store. */
  run(record: Uint8Array): Promise<void>;
  /** Takes back the signature of a record that was not written, since another one stands in its place. */
  withdraw(record: Uint8Array): Promise<void>;
}

/** Throws where a package has no signature that counts. */
export type SignatureCheck = (digest: string, manifest: PackageManifest) => Promise<void>;

/** By the SHA-256 of what was signed, then by the key. */
export const signatureKey = (subject: string, fingerprint: string): Key => key(`signatures/${subject}/${fingerprint}.json`);

/** The public half of whatever signed here, so that a signature can be read without asking around. Whether it is trusted is another question. */
export const publicKeyKey = (fingerprint: string): Key => key(`keys/${fingerprint}.pem`);

/** What the signature of a run's record says that it signs. */
export const runPayload = 'application/vnd.perennial.run+json';

/** The name of the manifest among the files of a package, in a folder and in its signature: so that model, segment and window are signed, too. */
export const manifestFile = 'manifest.json';

/** Every file of a package as its signature lists them. */
export const signedFilesOf = (digest: string, manifest: PackageManifest): readonly SignedFile[] => [
  ...manifest.files.map(({ path, sha256: content }) => ({ path, sha256: content })),
  { path: manifestFile, sha256: digest },
];

export function openStoreSigner(store: ObjectStore, blobs: Blobs, signingKey: SigningKey): StoreSigner {
  const { fingerprint, pem } = signingKey.publicKey;
  async function keep(subject: string, sign: () => Promise<string> | string): Promise<void> {
    const place = signatureKey(subject, fingerprint);
    if ((await store.head(place)) !== undefined) return;
    await store.settle(publicKeyKey(fingerprint), Buffer.from(pem));
    await store.settle(place, Buffer.from(await sign()));
  }
  return {
    fingerprint,
    package: (digest) =>
      keep(digest, async () => {
        const manifest = JSON.parse(Buffer.from(await blobs.readBytes(digest)).toString('utf8')) as PackageManifest;
        return signModel(`${manifest.model}-${manifest.segment}`, signedFilesOf(digest, manifest), signingKey);
      }),
    run: (record) => keep(sha256(record), () => signBundle(runPayload, record, signingKey)),
    withdraw: (record) => store.remove(signatureKey(sha256(record), fingerprint)),
  };
}

/**
 * The check that a server makes before it fetches a version: one of these keys signed exactly these files.
 *
 * @throws {MlError} `SignatureMissing`, `SignatureInvalid`
 */
export const requireSignature =
  (store: ObjectStore, trusted: readonly PublicKey[]): SignatureCheck =>
  async (digest, manifest) => {
    let invalid: MlError | undefined;
    for (const each of trusted) {
      const place = signatureKey(digest, each.fingerprint);
      const body = await readObject(store, place);
      if (body === undefined) continue;
      try {
        return checkPackage(Buffer.from(body).toString('utf8'), [each], place, digest, manifest);
      } catch (error) {
        if (!(error instanceof MlError)) throw error;
        invalid ??= error;
      }
    }
    if (invalid !== undefined) throw invalid;
    const refusal = await untrusted(store, trusted, digest, manifest);
    throw refusal;
  };

/** @throws {MlError} `SignatureInvalid` if none of the keys signed exactly this package. */
export function checkPackage(bundle: string, keys: readonly PublicKey[], place: string, digest: string, manifest: PackageManifest): void {
  const { files } = openModelSignature(bundle, keys, place);
  const differences = fileDifferences(files, signedFilesOf(digest, manifest));
  if (differences.length === 0) return;
  throw new MlError('SignatureInvalid', `${place} signs other files than package ${digest} has: ${differences.join('; ')}`, { place, differences });
}

async function untrusted(store: ObjectStore, trusted: readonly PublicKey[], digest: string, { model, segment }: PackageManifest): Promise<MlError> {
  const names = trusted.map(({ fingerprint }) => fingerprint);
  const whom = names.join(', ') || 'nobody';
  const by = (await keysOf(store, `signatures/${digest}/`)).map((place) => place.slice(`signatures/${digest}/`.length, -'.json'.length));
  const what = `package ${digest} of ${model}/${segment}`;
  return by.length === 0
    ? new MlError('SignatureMissing', `${what} is not signed; trusted are ${whom}`, { digest, trusted: names })
    : new MlError('SignatureInvalid', `${what} is signed by ${by.join(', ')}, and trusted are ${whom}`, {
        digest,
        by,
        trusted: names,
      });
}
