import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MlError } from '../core/errors.ts';
import { signatureFile } from '../signing/model-signature.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObject } from '../stores/read-object.ts';
import type { FoundVersion, Registry } from './registry.ts';
import { signedFilesOf } from './signatures.ts';

export interface Exported {
  readonly folder: string;
  readonly files: readonly string[];
  /** Fingerprint of the key that signed it, or `null` where nobody did. */
  readonly signedBy: string | null;
}

/**
 * Writes a version's package into a new folder: its files, `manifest.json`, and `model.sig` if it is signed. Whoever has the public key can check it there,
 * with this tool or with Python's `model_signing verify key`.
 *
 * @throws {MlError} `RequestInvalid` if the folder exists; `ArtifactMissing`, `ArtifactCorrupt`.
 */
export async function exportPackage(
  from: { readonly store: ObjectStore; readonly blobs: Blobs; readonly registry: Registry },
  { version }: FoundVersion,
  folder: string,
): Promise<Exported> {
  const digest = version.package.sha256;
  const files = signedFilesOf(digest, await from.registry.manifest(version.package));
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new MlError('RequestInvalid', `${folder} exists: name a new folder, so that nothing is mixed up`, { folder }, { cause });
  });
  for (const { path, sha256 } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(await from.blobs.open(sha256), join(folder, path));
  }
  const [signature] = await keysOf(from.store, `signatures/${digest}/`);
  const bundle = signature && (await readObject(from.store, signature));
  if (bundle !== undefined) await writeFile(join(folder, signatureFile), bundle);
  const signedBy = bundle === undefined ? null : signature!.slice(`signatures/${digest}/`.length, -'.json'.length);
  return { folder, files: files.map(({ path }) => path).concat(bundle === undefined ? [] : signatureFile), signedBy };
}
