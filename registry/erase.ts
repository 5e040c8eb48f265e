import { MlError } from '../core/errors.ts';
import { type ErasurePlan, planErasure, referenceOf } from '../core/erase.ts';
import { nearest } from '../core/nearest.ts';
import { stands } from '../core/registry.ts';
import type { MadeRecord } from '../core/artifact.ts';
import type { SegmentState } from '../core/registry-entry.ts';
import { readMadeAt, readUsedAt } from '../stores/artifact-store.ts';
import { blobKey } from '../stores/blobs.ts';
import { digestOf } from '../stores/digest.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { keysOf } from '../stores/read-object.ts';
import { readFiles } from './lineage.ts';
import { statesOf, whole } from './prune.ts';
import type { Author, Registry } from './registry.ts';

export interface EraseOptions {
  /** SHA-256 of what is known to hold what must go. */
  readonly origins: Iterable<string>;
  /** Retire the versions that it reached, and erase their models, too. */
  readonly retire: boolean;
}

/** What an erasure takes away, or took away. */
export interface Erased {
  /** Its id in the logs; `null` while it is only planned. */
  readonly erasure: string | null;
  readonly content: readonly string[];
  readonly bytes: number;
  readonly versions: readonly ErasedVersion[];
}

export interface ErasedVersion {
  readonly reference: string;
  readonly status: string;
  /** Its model was made from what is gone, and can still answer: train a new one, or retire it. */
  readonly stands: boolean;
}

interface Found extends ErasurePlan {
  readonly states: readonly SegmentState[];
}

/** What an erasure would take away now. Nothing is changed. */
export async function planErase(store: ObjectStore, registry: Registry, options: EraseOptions): Promise<Erased> {
  const found = await find(store, registry, options);
  return told(null, found, await sizeOf(store, found), options.retire);
}

/**
 * Erases content with all that was made from it, besides aggregates, and says so in the log of every model that it reached.
 *
 * Entries come first, so that no absence is ever unexplained; then contents, the last made before what they were made from, so that after a crash the
 * origins are still found and the same request goes on; then the records of what is gone.
 *
 * @throws {MlError} `ArtifactCorrupt`, `LogCorrupt`: what cannot be read may tell of more that has to go.
 */
export async function erase(
  store: ObjectStore,
  registry: Registry,
  options: EraseOptions & { readonly reason: string },
  author: Author,
): Promise<Erased> {
  const found = await find(store, registry, options);
  const bytes = await sizeOf(store, found);
  const { reason, retire } = options;
  // A request that is made again after a crash finds its own entries.
  const erasure = digestOf({ origins: [...options.origins].toSorted(), reason }).slice(0, 32);
  for (const state of found.states) {
    const reached = found.touched.filter((it) => it.state === state).map(({ version }) => version);
    if (reached.length === 0) continue;
    for (const version of retire ? reached.filter(stands) : []) await registry.retire(state, { version: version.version, reason }, author);
    await registry.erased(state, { erasure, versions: reached.map(({ version }) => version), content: found.content, reason }, author);
  }
  for (const sha256 of found.content.toReversed()) await store.remove(blobKey(sha256));
  const gone = new Set(found.content);
  const records = [...(await readMadeAt(store, await keysOf(store, 'made/'))), ...(await readUsedAt(store, await keysOf(store, 'used/')))];
  for (const [key, { artifact }] of records) if (gone.has(artifact.sha256)) await store.remove(key);
  return told(erasure, found, bytes, retire);
}

async function find(store: ObjectStore, registry: Registry, { origins, retire }: EraseOptions): Promise<Found> {
  const states = await statesOf(registry);
  const files = new Map<string, readonly string[]>();
  for (const version of states.flatMap((state) => state.versions)) {
    const { sha256 } = version.package;
    if (!files.has(sha256))
      files.set(
        sha256,
        ((await readFiles(registry, version.package)) ?? []).map((file) => file.sha256),
      );
  }
  const made: readonly MadeRecord[] = (await whole(store, await keysOf(store, 'made/'), readMadeAt)).map(([, record]) => record);
  const filesOf = (version: SegmentState['versions'][number]) => files.get(version.package.sha256) ?? [];
  const { content, touched } = planErasure({ states, made }, origins, { retire, filesOf });
  // An origin may be what was read from outside: it has a hash, and no content here.
  const known = new Set(made.map(({ artifact }) => artifact.sha256));
  const there = await Promise.all(content.map(async (sha256) => known.has(sha256) || (await store.head(blobKey(sha256))) !== undefined));
  return { states, touched, content: content.filter((_, index) => there[index]) };
}

async function sizeOf(store: ObjectStore, { content }: ErasurePlan): Promise<number> {
  let bytes = 0;
  for (const sha256 of content) bytes += (await store.head(blobKey(sha256)))?.bytes ?? 0;
  return bytes;
}

const told = (erasure: string | null, { content, touched }: Found, bytes: number, retire: boolean): Erased => ({
  erasure,
  content,
  bytes,
  versions: touched.map((it) => ({ reference: referenceOf(it), status: it.version.status, stands: !retire && stands(it.version) })),
});

/** The contents that a dataset is: a source's snapshots by its name, or whatever was read or made, by its SHA-256. @throws {MlError} `ArtifactMissing` */
export async function datasetOf(store: ObjectStore, name: string): Promise<ReadonlySet<string>> {
  const made = await readMadeAt(store, await keysOf(store, 'made/'));
  const origins = new Set<string>();
  const sources = new Set<string>();
  for (const [, record] of made) {
    const parameters = record.provenance.parameters as { readonly source?: unknown } | null;
    if (record.artifact.kind === 'source' && typeof parameters?.source === 'string') sources.add(parameters.source);
    const isNamed = record.artifact.kind === 'source' && parameters?.source === name;
    if (isNamed || record.artifact.sha256 === name) origins.add(record.artifact.sha256);
    // What was read is no content of the store; what was made of it is.
    else if (Object.values(record.provenance.inputs).includes(name)) origins.add(name);
  }
  if (/^[0-9a-f]{64}$/.test(name) && (await store.head(blobKey(name))) !== undefined) origins.add(name);
  if (origins.size > 0) return origins;
  const guess = nearest(name, [...sources]);
  throw new MlError(
    'ArtifactMissing',
    `no source is called "${name}"${guess === undefined ? '' : ` (did you mean "${guess}"?)`}, and nothing was made from that SHA-256: ${store.uri} has ${[...sources].join(', ') || 'none'}`,
    {
      dataset: name,
    },
  );
}
