import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { type ErrorCode, MlError } from '../core/errors.ts';
import { digestFile } from '../stores/digest.ts';
import type { PublicKey } from './keys.ts';
import { fileDifferences, openModelSignature, type SignedFile, signatureFile } from './model-signature.ts';

/**
 * Checks a folder against the signature in it. Nothing is ignored but the signature itself, whatever the signer left out: a hidden file beside a model
 * may well be loaded.
 *
 * @throws {MlError} `SignatureMissing`; `SignatureInvalid`, naming every file that is missing, altered or not signed.
 */
export async function verifyModelFolder(
  folder: string,
  keys: readonly PublicKey[],
  signature: string = join(folder, signatureFile),
): Promise<{ readonly by: string; readonly files: readonly SignedFile[] }> {
  const bundle = await readFile(signature, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new MlError('SignatureMissing', `${folder} has no signature ${signature}: ask whoever sent it for one`, { folder, signature }, { cause });
  });
  const { signed, files } = openModelSignature(bundle, keys, signature);
  const differences = fileDifferences(files, await filesOf(folder, 'SignatureInvalid', signature));
  if (differences.length === 0) return { by: signed.by.fingerprint, files };
  throw new MlError('SignatureInvalid', `${folder} is not what was signed: ${differences.join('; ')}`, { folder, differences });
}

/** Every file of a folder, with its SHA-256. Anything else in it is refused with the code. */
export async function filesOf(folder: string, refusal: ErrorCode, except?: string): Promise<readonly SignedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: SignedFile[] = [];
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    if (entry.isDirectory() || (except !== undefined && resolve(file) === resolve(except))) continue;
    if (!entry.isFile()) throw new MlError(refusal, `${path} is no plain file: a link may lead out of the folder`, { folder, path });
    found.push({ path, sha256: (await digestFile(file)).sha256 });
  }
  return found;
}
