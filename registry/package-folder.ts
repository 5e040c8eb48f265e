import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MlError } from '../core/errors.ts';
import type { PackageManifest } from '../core/manifest.ts';
import { filesOf } from '../signing/model-folder.ts';
import { fileDifferences, type SignedFile } from '../signing/model-signature.ts';
import { sha256 } from '../stores/digest.ts';
import { manifestFile, signedFilesOf } from './signatures.ts';

/** What of a manifest says which files there are. */
const manifestForm = z.looseObject({
  format: z.literal(1),
  model: z.string(),
  segment: z.string(),
  files: z.array(z.looseObject({ path: z.string(), sha256: z.string() })),
});

export interface PackageFolder {
  /** SHA-256 of its manifest, by which a registry knows it. */
  readonly package: string;
  readonly model: string;
  readonly segment: string;
  readonly files: readonly SignedFile[];
}

/**
 * Checks a package in a folder by its own manifest: every file that it lists, and no other. That nothing was lost or mixed up; who made it, only a
 * signature tells.
 *
 * @throws {MlError} `PackageInvalid`, naming every file that is missing, altered or not listed.
 */
export async function verifyPackageFolder(folder: string): Promise<PackageFolder> {
  const body = await readFile(join(folder, manifestFile));
  const manifest = parseManifest(body.toString('utf8'));
  if (manifest === undefined) {
    throw new MlError('PackageInvalid', `${join(folder, manifestFile)} is no manifest of a package: it was altered, or another tool wrote it`, {
      folder,
    });
  }
  const digest = sha256(body);
  const files = signedFilesOf(digest, manifest);
  const differences = fileDifferences(files, await filesOf(folder, 'PackageInvalid'), 'listed');
  if (differences.length === 0) return { package: digest, model: manifest.model, segment: manifest.segment, files };
  throw new MlError('PackageInvalid', `${folder} is not what its ${manifestFile} says: ${differences.join('; ')}`, { folder, differences });
}

function parseManifest(text: string): PackageManifest | undefined {
  try {
    const parsed = manifestForm.safeParse(JSON.parse(text));
    return parsed.success ? (parsed.data as unknown as PackageManifest) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
