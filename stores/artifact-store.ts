import { readFileSync, statSync } from 'node:fs';
import type { Artifact, ArtifactKind, Json, MadeRecord, Provenance, Run } from '../core/artifact.ts';
import { blobOf, type Blobs } from './blobs.ts';
import { provenanceDigest } from './digest.ts';
import { key, keySegment } from './key.ts';
import { announceRecord, hintOf } from './lineage-feed.ts';
import { type Call, type Key, type ObjectStore, settleInOrder, type SmallObject } from './object-store.ts';
import { keysOf, readObject, readObjects } from './read-object.ts';
import { seal, unseal } from './sealed.ts';

export interface CommitFacts {
  readonly mediaType: string;
  readonly by: Run;
  /** Recorded, not keyed: versions, platform, durations. */
  readonly notes?: Readonly<Record<string, Json>>;
}

/** A run got this artifact from the cache. */
export interface UsedRecord {
  readonly provenance: string;
  readonly artifact: Artifact;
  readonly by: Run;
  readonly at: string;
}

/** Artifacts by what made them: the cache of steps, and one half of the lineage graph. */
export interface ArtifactStore {
  readonly blobs: Blobs;
  /**
   * The artifact of this kind that this provenance made, if its content is still there. With `by`, a hit is written down as used by that run,
   * so that lineage knows runs that made nothing themselves.
   */
  find<K extends ArtifactKind>(kind: K, provenance: Provenance, by?: Run): Promise<Artifact<K> | undefined>;
  /** Keeps a made file. Returns the artifact that stands: that of whoever was first, if it is whole. */
  commit<K extends ArtifactKind>(kind: K, provenance: Provenance, path: string, facts: CommitFacts, call?: Call): Promise<Artifact<K>>;
}

const number = (n: number): string => String(n).padStart(6, '0');

/**
 * Opens the artifacts of a store. Records are `made/<provenance digest>/<n>.json`: a record whose content was lost is followed by a newer one, so it
 * cannot spoil its key. `used/<run>/<provenance digest>.<kind>.json` says what a run got from the cache.
 */
export function openArtifactStore(store: ObjectStore, blobs: Blobs): ArtifactStore {
  /** The valid record of this kind, newest first, where it lies, and the number of the last record of any kind. */
  async function lookUp(kind: ArtifactKind, provenance: Provenance): Promise<{ record?: MadeRecord; at?: Key; last: number }> {
    const digest = provenanceDigest(provenance);
    const keys = await keysOf(store, `made/${digest}/`);
    const last = Number(/(\d+)\.json$/.exec(keys.at(-1) ?? '0.json')?.[1] ?? 0);
    for (const recordKey of keys.reverse()) {
      const record = parseMade(await readObject(store, recordKey), digest);
      if (record?.artifact.kind === kind && (await isWhole(record.artifact))) return { record, at: recordKey, last };
    }
    return { last };
  }

  const isWhole = async (artifact: Artifact): Promise<boolean> => (await blobs.head(artifact.sha256))?.bytes === artifact.bytes;

  /** A record with its hint: a step that fails between the two is tried again, and then announces again. */
  const announced = (at: Key, body: Uint8Array): readonly SmallObject[] => [{ key: at, body }, hintOf(at)];

  async function writeUsed(digest: string, artifact: Artifact, by: Run): Promise<void> {
    const record: UsedRecord = { provenance: digest, artifact, by: onlyRun(by), at: new Date().toISOString() };
    await settleInOrder(store, announced(key(`used/${keySegment(by.runId)}/${digest}.${artifact.kind}.json`), seal(record)));
  }

  async function find<K extends ArtifactKind>(kind: K, provenance: Provenance, by?: Run): Promise<Artifact<K> | undefined> {
    const { record, at } = await lookUp(kind, provenance);
    if (record === undefined) return undefined;
    // A retry that finds what its own run made has not used the cache; the attempt before it may have died before it could announce.
    if (by?.runId === record.by.runId) await announceRecord(store, at!);
    else if (by !== undefined) await writeUsed(provenanceDigest(provenance), record.artifact, by);
    return record.artifact as Artifact<K>;
  }

  async function commit<K extends ArtifactKind>(
    kind: K,
    provenance: Provenance,
    path: string,
    facts: CommitFacts,
    call?: Call,
  ): Promise<Artifact<K>> {
    const { mediaType, notes = {} } = facts;
    const by = onlyRun(facts.by);
    const digest = provenanceDigest(provenance);
    const at = new Date().toISOString();
    const small = readSmall(path);
    const artifact: Artifact<K> = { kind, ...(small ? blobOf(small) : await blobs.put(path, call)), mediaType };
    const record: MadeRecord = { provenance, artifact, by, at, notes };
    for (;;) {
      const { record: standing, last } = await lookUp(kind, provenance);
      if (standing !== undefined) {
        if (standing.by.runId !== by.runId) await writeUsed(digest, standing.artifact, by);
        return standing.artifact as Artifact<K>;
      }
      const body = seal(record);
      const objects = announced(key(`made/${digest}/${number(last + 1)}.json`), body);
      const [settled] = await (small ? blobs.putNamed(small, objects, call) : settleInOrder(store, objects, call));
      if (Buffer.from(body).equals(settled!)) {
        // Content that was there already, old and needed by nobody, may have been pruned since it was looked at; with its record it stays.
        if (!(await isWhole(artifact))) await blobs.put(path, call);
        return artifact;
      }
      // Somebody was faster, perhaps with another kind: look again.
    }
  }

  return { blobs, find, commit };
}

/** Content of at most so much goes into the store with its record. */
const smallBytes = 1 << 18;

/** A file's content if it is small. It was written a moment ago: to read it at once takes less than to wait for another thread to. */
function readSmall(path: string): Uint8Array | undefined {
  return statSync(path).size <= smallBytes ? readFileSync(path) : undefined;
}

/** Callers may know more about their run (the attempt, say); records hold what identifies it. */
const onlyRun = ({ runId, workflowId, workflowType }: Run): Run => ({ runId, workflowId, workflowType });

/** A record of the store, or `undefined` if it is damaged: a cache may forget, it must not lie. */
function parseMade(body: Uint8Array | undefined, digest: string): MadeRecord | undefined {
  const record = unseal<MadeRecord>(body);
  return record?.provenance && record.artifact && record.by && provenanceDigest(record.provenance) === digest ? record : undefined;
}

/** What lies under `made/`, whole, with its key. Records that are gone or damaged are left out. */
export async function readMadeAt(store: ObjectStore, keys: readonly Key[]): Promise<(readonly [Key, MadeRecord])[]> {
  const bodies = await readObjects(store, keys);
  return keys.flatMap((at, index) => {
    const record = parseMade(bodies[index], at.split('/')[1]!);
    return record === undefined ? [] : [[at, record] as const];
  });
}

/** The same for `used/`. */
export async function readUsedAt(store: ObjectStore, keys: readonly Key[]): Promise<(readonly [Key, UsedRecord])[]> {
  const bodies = await readObjects(store, keys);
  return keys.flatMap((at, index) => {
    const record = unseal<UsedRecord>(bodies[index]);
    return record === undefined ? [] : [[at, record] as const];
  });
}

/** Every record of what was made, oldest first; of equally old ones by key. */
export async function readMade(store: ObjectStore): Promise<MadeRecord[]> {
  const records = (await readMadeAt(store, await keysOf(store, 'made/'))).map(([, record]) => record);
  return records.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Every record of what came from the cache. */
export async function readUsed(store: ObjectStore, runId?: string): Promise<UsedRecord[]> {
  const keys = await keysOf(store, runId === undefined ? 'used/' : `used/${keySegment(runId)}/`);
  return (await readUsedAt(store, keys)).map(([, record]) => record);
}
