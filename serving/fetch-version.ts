import { readFile } from 'node:fs/promises';
import { expectAsLogged } from '../core/as-logged.ts';
import type { PackageManifest } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { VersionState } from '../core/registry-entry.ts';
import type { SignatureCheck } from '../registry/signatures.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { LocalVersion } from './served-model.ts';

/**
 * Brings a version's files to this machine, if its signature passes where one is asked for.
 *
 * @throws {MlError} `ArtifactMissing`, `ArtifactCorrupt`; `PackageInvalid` if the package is not what the registry says; `SignatureMissing`,
 * `SignatureInvalid`.
 */
export async function fetchVersion(
  blobs: Blobs,
  model: string,
  segment: string,
  version: VersionState,
  checkSignature?: SignatureCheck,
): Promise<LocalVersion> {
  const digest = version.package.sha256;
  const path = await blobs.open(digest);
  const manifest = JSON.parse(await readFile(path, 'utf8')) as PackageManifest;
  expectAsLogged(manifest, model, segment, version);
  await checkSignature?.(digest, manifest);
  // Where it was erased, the version answers as it answers strangers.
  const isErased = version.erased?.some(({ content }) => content.includes(version.history?.sha256 ?? '')) ?? false;
  const history = isErased ? undefined : version.history?.sha256;
  const needed = new Set([...manifest.files.map(({ sha256 }) => sha256), version.spec.sha256, ...(history === undefined ? [] : [history])]);
  const opened = await Promise.all([...needed].map(async (sha256) => [sha256, await blobs.open(sha256)] as const));
  return {
    model,
    segment,
    version: version.version,
    digest,
    manifest,
    paths: { [digest]: path, ...Object.fromEntries(opened) },
    spec: version.spec.sha256,
    ...(history === undefined ? {} : { history }),
  };
}

/** The spec that a version was made from. */
export const readSpec = async ({ paths, spec }: LocalVersion): Promise<ModelSpec> => JSON.parse(await readFile(paths[spec]!, 'utf8')) as ModelSpec;
