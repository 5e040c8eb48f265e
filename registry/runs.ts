import type { Run } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import type { RunStatus } from '../core/run-status.ts';
import type { Blob, Blobs } from '../stores/blobs.ts';
import type { Cipher } from '../core/cipher.ts';
import { key, keySegment } from '../stores/key.ts';
import { announceRecord } from '../stores/lineage-feed.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObject, readObjects } from '../stores/read-object.ts';
import { seal, unseal } from '../stores/sealed.ts';
import type { Seen } from './seen.ts';
import type { StoreSigner } from './signatures.ts';

export type { RunStatus };

/** A run's record in the archive. It outlives Temporal's own. */
export interface ArchivedRun extends Run {
  /** Number of the last event that the archived history holds. */
  readonly lastEvent: number;
  readonly outcome: RunStatus;
  readonly startedAt?: string;
  readonly closedAt?: string;
  readonly archivedAt: string;
  /** JSON text of the history, its payloads as they were encoded, as a blob. */
  readonly history: Blob;
  /** How far the run's own log had grown when the run was archived. */
  readonly seen?: Seen;
}

export interface RunToArchive extends Omit<ArchivedRun, 'archivedAt' | 'history'> {
  /** JSON text in UTF-8. */
  readonly history: Uint8Array;
}

/** The archive of runs, read from the store alone: `runs/<run id>/history-<last event>.json`, of which the highest counts. */
export interface RunArchive {
  /** Archiving the same run up to the same event again changes nothing, and mends a record that was damaged. */
  archive(run: RunToArchive): Promise<ArchivedRun>;
  /** The newest record of a run that is whole. */
  find(runId: string): Promise<ArchivedRun | undefined>;
  /** @throws {MlError} `RunUnknown` */
  run(runId: string): Promise<ArchivedRun>;
  /** Every run that has a whole record, newest first. One record that is damaged hides no other run; `run` says what is wrong with it. */
  runs(): Promise<readonly ArchivedRun[]>;
  /** The history's JSON text, verified. */
  history(run: ArchivedRun): Promise<Uint8Array>;
}

/** Opens the archive of a store. With a signer, each record is signed before it is written; with a cipher, what came of a run is encrypted in it. */
export function openRunArchive(store: ObjectStore, blobs: Blobs, signer?: StoreSigner, cipher?: Cipher): RunArchive {
  const folder = (runId: string): string => `runs/${keySegment(runId)}/`;

  async function archive({ history, outcome, ...run }: RunToArchive): Promise<ArchivedRun> {
    const record: ArchivedRun = {
      ...run,
      outcome: closedOutcome(outcome, cipher),
      archivedAt: new Date().toISOString(),
      history: await blobs.putBytes(history),
    };
    const place = key(`${folder(run.runId)}history-${String(run.lastEvent).padStart(12, '0')}.json`);
    const body = seal(record);
    // Signed before it is written, but not where another one stands: a retry's own has a later time, and would leave a signature of nothing.
    const signing = parseRun(await readObject(store, place)) === undefined ? signer : undefined;
    await signing?.run(body);
    const [standing] = await Promise.all([settle(place, body), announceRecord(store, place)]);
    if (Buffer.compare(standing, body) !== 0) await signing?.withdraw(body);
    return parsed(standing) ?? record;
  }

  /** What stands at a place from now on: the record that is there, unless it is damaged. */
  async function settle(place: Key, body: Uint8Array): Promise<Uint8Array> {
    const standing = await store.settle(place, body);
    if (parsed(standing) !== undefined) return standing;
    await store.remove(place);
    return store.settle(place, body);
  }

  async function run(runId: string): Promise<ArchivedRun> {
    const last = (await keysOf(store, `${folder(runId)}history-`)).at(-1);
    const body = last && (await readObject(store, last));
    if (last !== undefined && body !== undefined) return parsed(body) ?? damaged(last);
    throw new MlError('RunUnknown', `no run "${runId}" is archived in ${store.uri}: see "perennial runs"`, { runId });
  }

  async function find(runId: string): Promise<ArchivedRun | undefined> {
    for (const each of (await keysOf(store, `${folder(runId)}history-`)).reverse()) {
      const record = parseRun(await readObject(store, each));
      if (record !== undefined) return record;
    }
    return undefined;
  }

  async function runs(): Promise<ArchivedRun[]> {
    const records = new Map<string, Key[]>();
    for await (const { key: place } of store.list('runs/')) {
      const [, runId, name] = place.split('/');
      if (runId !== undefined && name?.startsWith('history-') === true) records.set(runId, [...(records.get(runId) ?? []), place]);
    }
    const all: ArchivedRun[] = [];
    for (let left = [...records.values()]; left.length > 0;) {
      const bodies = await readObjects(
        store,
        left.map((keys) => keys.at(-1)!),
      );
      const found = bodies.map((body) => body && parsed(body));
      all.push(...found.filter((run) => run !== undefined));
      // What is damaged falls back on the run's record before it.
      left = left.flatMap((keys, at) => (found[at] === undefined && keys.length > 1 ? [keys.slice(0, -1)] : []));
    }
    return newestFirst(all);
  }

  return { archive, find, run, runs, history: ({ history }) => blobs.readBytes(history.sha256) };
}

/** What payloads hide, the record does not tell. */
export function closedOutcome(outcome: RunStatus, cipher: Cipher | undefined): RunStatus {
  const { status, encrypted, ...hidden } = outcome;
  if (cipher === undefined || encrypted !== undefined || Object.keys(hidden).length === 0) return outcome;
  const { keyId, bytes } = cipher.encrypt(Buffer.from(JSON.stringify(hidden)));
  return { status, encrypted: { keyId, text: Buffer.from(bytes).toString('base64') } };
}

/** What came of a run, for whoever has the key. @throws {MlError} `EncryptionKeyUnknown`; `DecryptionFailed` */
export function openedOutcome(outcome: RunStatus, cipher: Cipher | undefined): RunStatus {
  const { status, encrypted } = outcome;
  if (cipher === undefined || encrypted === undefined) return outcome;
  const plain = cipher.decrypt({ keyId: encrypted.keyId, bytes: Buffer.from(encrypted.text, 'base64') });
  return { status, ...(JSON.parse(Buffer.from(plain).toString('utf8')) as Omit<RunStatus, 'status'>) };
}

/** By when they began; of those that began together by id. */
export const newestFirst = (runs: readonly ArchivedRun[]): ArchivedRun[] =>
  runs.toSorted((a, b) => (startOf(a) === startOf(b) ? (a.runId < b.runId ? -1 : 1) : startOf(a) < startOf(b) ? 1 : -1));

const startOf = (run: ArchivedRun): string => run.startedAt ?? run.archivedAt;

/** A record of the archive, or `undefined` if it is damaged. */
export const parseRun = (body: Uint8Array | undefined): ArchivedRun | undefined => body && parsed(body);

const parsed = (body: Uint8Array): ArchivedRun | undefined => unseal<ArchivedRun>(body);

function damaged(place: Key): never {
  throw new MlError(
    'ArtifactCorrupt',
    `${place} was altered: it is no JSON, or its seal does not hold. Restore it from a copy of the store, or archive the run again`,
    { place },
  );
}
