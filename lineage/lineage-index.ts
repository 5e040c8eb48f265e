import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MlError } from '../core/errors.ts';
import type { StepContext } from '../core/step-context.ts';
import type { DataContext, Duckdb } from '../data/duckdb.ts';
import { followChanges } from '../registry/changes.ts';
import type { Registry } from '../registry/registry.ts';
import { newestFirst } from '../registry/runs.ts';
import type { ArchivedRun } from '../registry/runs.ts';
import type { Blobs } from '../stores/blobs.ts';
import { announcedRecords } from '../stores/lineage-feed.ts';
import type { Hint } from '../stores/lineage-feed.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { readManifest, settleManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { addLogs, addRecords, allRecords, grown } from './records.ts';
import { mergedWith, withTables, writeSegment } from './segments.ts';
import type { Segment } from './segments.ts';
import { noRows, rowCount } from './tables.ts';
import type { Rows } from './tables.ts';

export interface LineageIndexOptions {
  readonly store: ObjectStore;
  readonly blobs: Blobs;
  readonly registry: Registry;
  /** Takes files while something is asked or indexed. */
  readonly folder: string;
}

/** How much of an answer came from where, in rows. */
export interface Origin {
  readonly indexed: number;
  /** Of records and logs that were read one by one, because no segment holds them yet. */
  readonly read: number;
}

/**
 * An index of all records of lineage, so that a question reads a few Parquet files and what is newer, not every record of the store. It is derived:
 * without it answers are the same and come later, and whoever deletes it has it built anew by the next sweep.
 */
export interface LineageIndex {
  /** Asks the tables of `tables.ts`, with all that the store holds now. */
  ask<T>(question: (db: Duckdb) => Promise<T>, signal?: AbortSignal): Promise<{ readonly answer: T; readonly from: Origin }>;
  /** Every archived run by its newest record, newest first: what `RunArchive.runs` reads one by one. */
  runs(signal?: AbortSignal): Promise<readonly ArchivedRun[]>;
  /** Ids of the runs that are archived up to their close. */
  closedRuns(signal?: AbortSignal): Promise<ReadonlySet<string>>;
  /** Adds what is new. Workers may do so at the same time: the first one's work stands. */
  extend(context: Pick<StepContext, 'signal' | 'heartbeat'>): Promise<{ readonly records: number }>;
}

/** Records of one segment: so much is held in memory, and lost when a build is killed. */
const chunk = 10_000;
/** All records are listed this often, for those whose writer died before it could announce them. */
const listEveryMs = 24 * 3600 * 1000;
/** A hint may come before its record. One whose record does not come within this time was left by a writer that died. */
const patienceMs = 3600 * 1000;

const never = new AbortController().signal;

export function openLineageIndex({ store, blobs, registry, folder }: LineageIndexOptions): LineageIndex {
  async function withContext<T>(context: Pick<DataContext, 'signal' | 'heartbeat'>, use: (context: DataContext) => Promise<T>): Promise<T> {
    const scratch = join(folder, randomUUID());
    await mkdir(scratch, { recursive: true });
    try {
      return await use({ ...context, scratch });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async function ask<T>(question: (db: Duckdb) => Promise<T>, signal: AbortSignal = never): Promise<{ answer: T; from: Origin }> {
    // In this order: hints go only when a manifest has their records.
    const hints = await announcedRecords(store);
    const { manifest } = await readManifest(store);
    const answerFrom = (segments: readonly Segment[], rows: Rows) =>
      withContext({ signal }, async (context) => ({
        answer: await withTables({ blobs, segments, rows }, context, question),
        from: { indexed: segments.reduce((sum, segment) => sum + segment.rows, 0), read: rowCount(rows) },
      }));
    if (manifest?.listedAt != null) {
      const rows = await newerThan(manifest, hints);
      try {
        return await answerFrom(manifest.segments, rows);
      } catch (error) {
        if (!isLost(error)) throw error;
      }
    }
    return answerFrom([], await everything());
  }

  async function newerThan(manifest: Manifest, hints: readonly Hint[]): Promise<Rows> {
    const rows = noRows();
    const changes = await followChanges(store, new Date(manifest.at)).changes();
    await Promise.all([addRecords(rows, store, recordsOf(hints)), addLogs(rows, registry, grown(changes, manifest.heights), manifest.heights)]);
    return rows;
  }

  async function everything(): Promise<Rows> {
    const rows = noRows();
    await addRecords(rows, store, await allRecords(store));
    await addLogs(rows, registry, await registry.heights(), {});
    return rows;
  }

  /** The index to go on from: none if a part of it is lost, or damaged. */
  async function intact(manifest: Manifest | undefined, signal: AbortSignal): Promise<Manifest | undefined> {
    const digests = manifest?.segments.flatMap((segment) => Object.values(segment.tables).map(({ sha256 }) => sha256)) ?? [];
    try {
      for (const sha256 of digests) await blobs.open(sha256, { signal });
      return manifest;
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  async function notIn(manifest: Manifest | undefined, context: DataContext): Promise<Key[]> {
    const [all, known] = await Promise.all([
      allRecords(store),
      withTables({ blobs, segments: manifest?.segments ?? [], rows: noRows() }, context, async (db) => {
        const keys = new Set<string>();
        for await (const rows of db.chunks('SELECT key FROM made UNION ALL SELECT key FROM used UNION ALL SELECT key FROM runs')) {
          for (const key of rows.getColumnValues(0)) keys.add(String(key));
        }
        return keys;
      }),
    ]);
    return all.filter((key) => !known.has(key));
  }

  const extend = (call: Pick<StepContext, 'signal' | 'heartbeat'>) =>
    withContext(call, async (context) => {
      const now = new Date();
      const hints = await announcedRecords(store);
      const found = await readManifest(store);
      let manifest = await intact(found.manifest, call.signal);
      const listing = manifest?.listedAt == null || now.getTime() - Date.parse(manifest.listedAt) > listEveryMs;
      const hinted = recordsOf(hints);
      const wanted = listing ? [...new Set([...(await notIn(manifest, context)), ...hinted])] : hinted;
      const logs = grown(await registry.heights(), manifest?.heights ?? {});
      const taken = new Set<Key>();

      /** Indexes some records, and at last the logs. `false` if another worker was faster. */
      async function take(keys: readonly Key[], last: boolean): Promise<boolean> {
        const rows = noRows();
        for (const key of await addRecords(rows, store, keys)) taken.add(key);
        const heights = await addLogs(rows, registry, last ? logs : [], manifest?.heights ?? {});
        if (rowCount(rows) === 0 && !(last && listing)) return true;
        const segments = manifest?.segments ?? [];
        const from = mergedWith(segments, rowCount(rows));
        const added = rowCount(rows) === 0 ? [] : [await writeSegment({ blobs, segments: segments.slice(from), rows }, context)];
        manifest = {
          format: 1,
          n: manifest === found.manifest || manifest === undefined ? found.next : manifest.n + 1,
          at: now.toISOString(),
          listedAt: last && listing ? now.toISOString() : (manifest?.listedAt ?? null),
          segments: [...segments.slice(0, added.length === 0 ? segments.length : from), ...added],
          heights,
        };
        call.heartbeat({ step: 'index', done: taken.size, total: wanted.length });
        return settleManifest(store, manifest);
      }

      for (let at = 0; at === 0 || at < wanted.length; at += chunk) {
        call.signal.throwIfAborted();
        if (!(await take(wanted.slice(at, at + chunk), at + chunk >= wanted.length))) return { records: 0 };
      }
      const done = hints.filter(({ record, at }) => taken.has(record) || now.getTime() - at.getTime() > patienceMs);
      // Somebody may be reading the one before the last.
      const outdated = (await readManifest(store)).older.slice(0, -1);
      for (const old of [...done.map(({ hint }) => hint), ...outdated]) await store.remove(old);
      return { records: taken.size };
    });

  async function runs(signal?: AbortSignal): Promise<readonly ArchivedRun[]> {
    const newest = 'SELECT record FROM runs QUALIFY row_number() OVER (PARTITION BY run ORDER BY key DESC) = 1';
    const { answer } = await ask((db) => db.rows(newest), signal);
    return newestFirst(answer.map(({ record }) => JSON.parse(String(record)) as ArchivedRun));
  }

  async function closedRuns(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const { answer } = await ask((db) => db.rows('SELECT DISTINCT run FROM runs WHERE closed IS NOT NULL'), signal);
    return new Set(answer.map(({ run }) => String(run)));
  }

  return { ask, runs, closedRuns, extend };
}

const recordsOf = (hints: readonly Hint[]): Key[] => [...new Set(hints.map(({ record }) => record))];

/** A segment that is gone or damaged costs time, no answer. */
const isLost = (error: unknown): boolean => error instanceof MlError && (error.code === 'ArtifactMissing' || error.code === 'ArtifactCorrupt');
