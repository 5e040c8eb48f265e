import type { Artifact, Run } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import { type KnownVersion, knownDigests, type Lineage, lineage, type LineageFacts } from '../core/lineage.ts';
import type { PackageFile } from '../core/manifest.ts';
import { formatReference, reigns, fold } from '../core/registry.ts';
import { readMade, readUsed } from '../stores/artifact-store.ts';
import { provenanceDigest } from '../stores/digest.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import type { Place, Registry } from './registry.ts';

/** Fewer digits of a SHA-256 could mean many things. */
const shortestPrefix = 8;

/**
 * What made a subject, and what it made, from the store alone. The subject is a version (`model/segment@3`), or the SHA-256 of an artifact or of any
 * file, whole or its first eight digits or more.
 *
 * @throws {MlError} `ArtifactMissing` if nothing in the store knows that content, `RequestInvalid` if several do, `ModelUnknown`, `VersionUnknown`.
 */
export async function lineageOf(store: ObjectStore, registry: Registry, subject: string): Promise<Lineage> {
  const facts = await readFacts(store, registry);
  if (isDigestPrefix(subject)) return lineage(facts, theOnly([...knownDigests(facts)].filter(startsWith(subject)), subject, store.uri));
  const { reference } = await registry.version(subject);
  return lineage(
    facts,
    facts.versions.find((it) => it.reference === reference)!,
  );
}

/** Whether a subject is a SHA-256, or enough of its beginning to be one; else it is a version's reference. */
export const isDigestPrefix = (subject: string): boolean => /^[0-9a-f]+$/.test(subject) && subject.length >= shortestPrefix;

const startsWith = (prefix: string) => (sha256: string) => sha256.startsWith(prefix);

/** The one digest that a prefix begins. @throws {MlError} `ArtifactMissing` if it begins none, `RequestInvalid` if several. */
export function theOnly(matches: readonly string[], prefix: string, store: string): string {
  const [only] = matches;
  if (only === undefined) {
    throw new MlError(
      'ArtifactMissing',
      `nothing in ${store} was made from or into "${prefix}": give the SHA-256 of an artifact or file that a run read or made`,
      { store, sha256: prefix },
    );
  }
  if (matches.length === 1) return only;
  throw new MlError('RequestInvalid', `"${prefix}" begins ${matches.length} digests: write more digits of ${matches.slice(0, 3).join(', ')}`, {
    matches,
  });
}

/** One step of a run: what it gave, and whether this run made it or got it from the cache. */
export interface RunStep {
  readonly step: string;
  readonly artifact: Artifact;
  readonly at: string;
  readonly reused: boolean;
}

/** The steps of a run that gave artifacts, in the order in which they ended: known even of a run whose worker died. */
export async function stepsOfRun(store: ObjectStore, runId: string): Promise<RunStep[]> {
  const [made, used] = await Promise.all([readMade(store), readUsed(store, runId)]);
  const stepOf = new Map(made.map(({ provenance }) => [provenanceDigest(provenance), provenance.step]));
  const steps = [
    ...made.filter(({ by }) => by.runId === runId).map(({ provenance, artifact, at }) => ({ step: provenance.step, artifact, at, reused: false })),
    ...used.map(({ provenance, artifact, at }) => ({ step: stepOf.get(provenance) ?? 'a step whose record was lost', artifact, at, reused: true })),
  ];
  return steps.sort((a, b) => compareText(a.at, b.at));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Scans what steps and the registry wrote. Nothing is kept: the graph is derived. */
async function readFacts(store: ObjectStore, registry: Registry): Promise<LineageFacts> {
  const [made, used, versions] = await Promise.all([readMade(store), readUsed(store), readVersions(registry)]);
  const usedBy = new Map<string, Run[]>();
  for (const { provenance, artifact, by } of used) {
    const id = `${provenance} ${artifact.kind}`;
    usedBy.set(id, [...(usedBy.get(id) ?? []), by]);
  }
  const packages = new Map<string, readonly PackageFile[]>();
  for (const { version } of versions) {
    const files = packages.has(version.package.sha256) ? undefined : await readFiles(registry, version.package);
    if (files !== undefined) packages.set(version.package.sha256, files);
  }
  return {
    made: made.map((record) => ({ ...record, usedBy: usedBy.get(`${provenanceDigest(record.provenance)} ${record.artifact.kind}`) ?? [] })),
    versions,
    packages,
  };
}

/** What a package holds; `undefined` if it is lost. */
export async function readFiles(registry: Registry, pack: KnownVersion['version']['package']): Promise<readonly PackageFile[] | undefined> {
  try {
    return (await registry.manifest(pack)).files;
  } catch (error) {
    // A lost package still has its history; only the names of its files are gone.
    if (error instanceof MlError && error.code === 'ArtifactMissing') return undefined;
    throw error;
  }
}

async function readVersions(registry: Registry): Promise<KnownVersion[]> {
  const versions: KnownVersion[] = [];
  for (const model of await registry.models()) {
    for (const segment of await registry.segments(model)) versions.push(...(await versionsOf(registry, { model, segment })));
  }
  return versions;
}

/** The versions of one segment, each with its times as champion. */
export async function versionsOf(registry: Registry, { model, segment }: Place): Promise<KnownVersion[]> {
  const entries = await registry.entries({ model, segment });
  const all = reigns(entries);
  return fold(model, segment, entries).versions.map((version) => ({
    reference: formatReference(model, segment, version.version),
    version,
    reigns: all.filter((reign) => reign.version === version.version),
  }));
}
