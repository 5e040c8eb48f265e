import { MlError } from '../core/errors.ts';
import { expendable, type Retention, roots, upstream } from '../core/prune.ts';
import { formatReference } from '../core/registry.ts';
import type { SegmentState, VersionState } from '../core/registry-entry.ts';
import { readMadeAt, readUsedAt } from '../stores/artifact-store.ts';
import { blobKey } from '../stores/blobs.ts';
import type { Call, Key, ObjectStore } from '../stores/object-store.ts';
import { readObject, readObjects } from '../stores/read-object.ts';
import { digestsNamedIn } from './named-digests.ts';
import type { Author, Registry } from './registry.ts';
import { parseRun } from './runs.ts';

export interface PruneOptions extends Retention {
  /** Every SHA-256 that a run's history names. Its payloads may be encrypted, and only whoever asks has the keys. */
  readonly namedInHistory: (history: Uint8Array) => Promise<Iterable<string>>;
  /** Runs that Temporal holds open. */
  readonly open?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** What a prune takes away. */
export interface Pruned {
  /** `model/segment@N` of the versions that are given up. */
  readonly versions: readonly string[];
  /** Records of what was made, of what came from the cache, and of what was answered; and hints of changes. */
  readonly records: number;
  readonly contents: number;
  readonly bytes: number;
}

/** What a prune would take away now. Nothing is changed. */
export async function planPrune(store: ObjectStore, registry: Registry, options: PruneOptions): Promise<Pruned> {
  const states = await statesOf(registry);
  const going = new Set(states.flatMap((state) => expendable(state, options).map((version) => formatReference(state.model, state.segment, version))));
  const isGone = (state: SegmentState, { version, pruned }: VersionState): boolean =>
    pruned !== undefined || going.has(formatReference(state.model, state.segment, version));
  const { records, contents } = await findDead(store, states, options, isGone);
  return summary([...going], records, contents);
}

/**
 * Removes what no live root leads to: mark and sweep, in an order in which a crash leaves a store that is whole, and running again goes on.
 *
 * First each log says which versions are given up, by compare-and-set, so that no promotion can bring one back. Then records go, so that no step finds
 * their content any more; then everything is looked at again, because a run may have taken something meanwhile; then contents go. Logs, signatures, keys,
 * marks and the archive of runs stay: they are small, and they are the memory.
 *
 * @throws {MlError} `ArtifactCorrupt`, `LogCorrupt`: what cannot be read may need what would be swept.
 */
export async function prune(
  store: ObjectStore,
  registry: Registry,
  options: PruneOptions & { readonly reason: string },
  author: Author,
): Promise<Pruned> {
  const versions: string[] = [];
  for (const state of await statesOf(registry)) {
    const given = await registry.prune(state, { versions: expendable(state, options), reason: options.reason }, author);
    versions.push(...given.map((version) => formatReference(state.model, state.segment, version)));
  }
  const isGone = (_: SegmentState, { pruned }: VersionState): boolean => pruned !== undefined;
  const look = async () => findDead(store, await statesOf(registry), options, isGone);
  const { records } = await look();
  await removeAll(store, records);
  const { contents } = await look();
  await removeAll(store, contents);
  return summary(versions, records, contents);
}

interface Sized {
  readonly key: Key;
  readonly bytes: number;
}

const summary = (versions: readonly string[], records: readonly Sized[], contents: readonly Sized[]): Pruned => ({
  versions,
  records: records.length,
  contents: contents.length,
  bytes: [...records, ...contents].reduce((sum, { bytes }) => sum + bytes, 0),
});

async function removeAll(store: ObjectStore, objects: readonly Sized[]): Promise<void> {
  for (const { key } of objects) await store.remove(key);
}

/** The states of all logs. */
export async function statesOf(registry: Registry): Promise<readonly SegmentState[]> {
  return Promise.all((await registry.heights()).map((place) => registry.state(place)));
}

/** The records and contents that no root leads to, old enough to go. */
async function findDead(
  store: ObjectStore,
  states: readonly SegmentState[],
  { before, namedInHistory, open = new Set(), signal }: PruneOptions,
  isGone: (state: SegmentState, version: VersionState) => boolean,
): Promise<{ readonly records: readonly Sized[]; readonly contents: readonly Sized[] }> {
  const call: Call = { ...(signal && { signal }) };
  const sizes = new Map<Key, number>();
  for await (const { key, bytes } of store.list('', undefined, call)) sizes.set(key, bytes);
  const below = (folder: string): Key[] => [...sizes.keys()].filter((key) => key.startsWith(folder));
  const made = await whole(store, below('made/'), readMadeAt);
  const used = await whole(store, below('used/'), readUsedAt);

  const marked = {
    states,
    open,
    made: made.map(([, record]) => record),
    used: used.map(([, { artifact, by, at }]) => ({ sha256: artifact.sha256, runId: by.runId, at })),
  };
  const { live, runs } = roots(marked, before, isGone);
  // Of each run its history is kept, not all that it once gave. A living version is made again from its history, and from what that names.
  const archived = new Set<string>();
  for (const { runId, history } of (await readObjects(store, below('runs/'), call)).flatMap((body) => parseRun(body) ?? [])) {
    archived.add(history.sha256);
    const body = runs.has(runId) ? await readObject(store, blobKey(history.sha256), call) : undefined;
    if (body !== undefined) for (const sha256 of await namedInHistory(body)) live.add(sha256);
  }
  for (const sha256 of archived) live.add(sha256);
  // The index of lineage says in its records where its content is; a checkpoint, in its name.
  for (const key of below('checkpoints/')) for (const sha256 of key.match(/[0-9a-f]{64}/g) ?? []) live.add(sha256);
  for (const key of below('index/')) for (const sha256 of await digestsNamedIn(store, key, call)) live.add(sha256);
  const isRead = (sha256: string): boolean => sizes.has(blobKey(sha256)) && !archived.has(sha256);
  await mark(live, upstream(marked.made), (sha256) => (isRead(sha256) ? digestsNamedIn(store, blobKey(sha256), call) : []));

  const sized = (key: Key): Sized => ({ key, bytes: sizes.get(key)! });
  const unneeded = [...made, ...used].filter(([, { artifact }]) => !live.has(artifact.sha256)).map(([key]) => key);
  const records = [...unneeded, ...outdated([...below('predictions/'), ...below('changes/')], before)].map(sized);
  const contents: Sized[] = [];
  for (const key of below('blobs/')) {
    if (live.has(key.split('/').at(-1)!)) continue;
    // Content is there before its record: what is young may be about to get one.
    const head = await store.head(key);
    if (head !== undefined && head.modified.toISOString() < before) contents.push(sized(key));
  }
  return { records, contents };
}

/** What lies by the day, of days that are over: which version answered what, and hints that followers read for a minute. */
const outdated = (keys: readonly Key[], before: string): Key[] =>
  keys.filter((key) => {
    const [, day] = /^[a-z]+\/(?:dt=)?(\d{4}-\d{2}-\d{2})\//.exec(key) ?? [];
    return day !== undefined && day < before.slice(0, 10);
  });

/** Adds to what is live all that it leads to, by what made it and by what is written in it. */
async function mark(
  live: Set<string>,
  madeFrom: (sha256: string) => Iterable<string>,
  named: (sha256: string) => Iterable<string> | Promise<Iterable<string>>,
): Promise<void> {
  // What is added to a set while one walks along it is walked, too.
  for (const sha256 of live) {
    for (const source of madeFrom(sha256)) live.add(source);
    for (const part of await named(sha256)) live.add(part);
  }
}

/** All these records, or none: of one that cannot be read nobody knows what it was made from. @throws {MlError} `ArtifactCorrupt` */
export async function whole<R>(
  store: ObjectStore,
  keys: readonly Key[],
  read: (store: ObjectStore, keys: readonly Key[]) => Promise<(readonly [Key, R])[]>,
): Promise<(readonly [Key, R])[]> {
  const records = await read(store, keys);
  if (records.length === keys.length) return records;
  const readable = new Set(records.map(([key]) => key));
  for (const key of keys) {
    if (readable.has(key) || (await store.head(key)) === undefined) continue;
    throw new MlError(
      'ArtifactCorrupt',
      `${key} in ${store.uri} cannot be read, so that nobody knows what it was made from: see \`perennial verify\``,
      {
        key,
      },
    );
  }
  return records;
}

/** Whether there is nothing to take away. */
export const isNothing = ({ versions, records, contents }: Pruned): boolean => versions.length + records + contents === 0;
