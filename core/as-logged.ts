import { MlError } from './errors.ts';
import type { PackageManifest } from './manifest.ts';
import { formatReference } from './registry.ts';
import type { VersionState } from './registry-entry.ts';

/**
 * Where a package is not what the log says of it, in the words of both; `undefined` if they agree. Nobody signs a log: the spec that a version is served by is
 * held to the one among the package's signed files. Packages of before they had one agree with any.
 */
export function unlikeLog(
  manifest: PackageManifest,
  model: string,
  segment: string,
  { spec }: Pick<VersionState, 'spec'>,
): { readonly expected: string; readonly found: string } | undefined {
  const of = (place: { readonly model: string; readonly segment: string }): string => `a package of ${place.model}/${place.segment}`;
  const [expected, found] = [of({ model, segment }), of(manifest)];
  if (expected !== found) return { expected, found };
  const other = manifest.files.find(({ role, sha256 }) => role === 'spec' && sha256 !== spec.sha256);
  return other && { expected: `the spec ${spec.sha256}`, found: `the spec ${other.sha256}` };
}

/** @throws {MlError} `PackageInvalid` if a package is of another format than this release reads, or not what the log says of it. */
export function expectAsLogged(manifest: PackageManifest, model: string, segment: string, version: VersionState): void {
  const unlike =
    manifest.format === 1 ? unlikeLog(manifest, model, segment, version) : { expected: 'format 1', found: `format ${String(manifest.format)}` };
  if (unlike === undefined) return;
  const reference = formatReference(model, segment, version.version);
  throw new MlError(
    'PackageInvalid',
    `the package of ${reference} has ${unlike.found}, and its log says ${unlike.expected}: register the right one, and see \`perennial verify ${reference}\``,
    { reference, package: version.package.sha256, ...unlike },
  );
}
