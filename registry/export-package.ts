import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expectAsLogged } from '../core/as-logged.ts';
import { MlError } from '../core/errors.ts';
import type { PackageManifest } from '../core/manifest.ts';
import { publicKey, type PublicKey } from '../signing/keys.ts';
import { signatureFile, type SignedFile } from '../signing/model-signature.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObject } from '../stores/read-object.ts';
import type { FoundVersion, Registry } from './registry.ts';
import { checkPackage, manifestFile, publicKeyKey, signedFilesOf } from './signatures.ts';

export interface Exported {
  readonly folder: string;
  readonly files: readonly string[];
  /** Fingerprint of a key that signed exactly these files, of a trusted one if there is; `null` where nobody did. */
  readonly signedBy: string | null;
}

/**
 * Writes a version's package into a new folder: its files, `manifest.json`, and `model.sig` if it is signed. Whoever has the public key can check it there,
 * with this tool or with Python's `model_signing verify key`.
 *
 * @throws {MlError} `RequestInvalid` if the folder exists; `PackageInvalid` if the package is not what the log says, or a file's path
 * leads out of it; `ArtifactMissing`, `ArtifactCorrupt`.
 */
export async function exportPackage(
  from: { readonly store: ObjectStore; readonly blobs: Blobs; readonly registry: Registry; readonly trusted?: readonly PublicKey[] },
  { model, segment, version }: FoundVersion,
  folder: string,
): Promise<Exported> {
  const digest = version.package.sha256;
  const manifest = await from.registry.manifest(version.package);
  expectAsLogged(manifest, model, segment, version);
  const files = signedFilesOf(digest, manifest);
  expectInside(files);
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new MlError('RequestInvalid', `${folder} exists: name a new folder, so that nothing is mixed up`, { folder }, { cause });
  });
  for (const { path, sha256 } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(await from.blobs.open(sha256), join(folder, path));
  }
  const signed = await signatureOf(from.store, from.trusted ?? [], digest, manifest);
  if (signed !== undefined) await writeFile(join(folder, signatureFile), signed.bundle);
  return { folder, files: files.map(({ path }) => path).concat(signed === undefined ? [] : signatureFile), signedBy: signed?.by ?? null };
}

/** A manifest comes from the store, where somebody may have written one that would overwrite other files. */
function expectInside(files: readonly SignedFile[]): void {
  const paths = files.map(({ path }) => path);
  const bad = paths.find(
    (path, at) => !/^[A-Za-z0-9_][\w.=-]*(\/[A-Za-z0-9_][\w.=-]*)*$/.test(path) || path === signatureFile || paths.indexOf(path) !== at,
  );
  if (bad === undefined) return;
  const what = bad === manifestFile || bad === signatureFile ? 'has a name of ours' : 'is there twice or leads out of the package';
  throw new MlError('PackageInvalid', `the file "${bad}" of this package ${what}: it was not made by a worker of yours`, { path: bad });
}

/** A signature of exactly these files, by a trusted key if there is one. One that does not hold is none. */
async function signatureOf(
  store: ObjectStore,
  trusted: readonly PublicKey[],
  digest: string,
  manifest: PackageManifest,
): Promise<{ readonly bundle: string; readonly by: string } | undefined> {
  const isTrusted = (by: string): boolean => trusted.some(({ fingerprint }) => fingerprint === by);
  const prefix = `signatures/${digest}/`;
  const names = (await keysOf(store, prefix)).map((place) => place.slice(prefix.length, -'.json'.length));
  for (const by of names.toSorted((a, b) => Number(isTrusted(b)) - Number(isTrusted(a)))) {
    const place = `${prefix}${by}.json` as Key;
    try {
      const pem = await readObject(store, publicKeyKey(by));
      const bundle = Buffer.from((await readObject(store, place)) ?? []).toString('utf8');
      const signer = publicKey(Buffer.from(pem ?? []).toString('utf8'), publicKeyKey(by));
      if (signer.fingerprint !== by) continue;
      checkPackage(bundle, [signer], place, digest, manifest);
      return { bundle, by };
    } catch (error) {
      if (!(error instanceof MlError)) throw error;
    }
  }
  return undefined;
}
