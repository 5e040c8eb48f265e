import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MlError } from '../../core/errors.ts';
import { makeFolder } from '../../stores/make-folder.ts';
import { storeError } from '../../stores/store-error.ts';
import { syncFolder } from '../../stores/sync-folder.ts';

/** A log of a few hundred thousand rows is read again in a second or two. */
const compactAfterBytes = 32 * 1024 * 1024;
const rowsOfLine = 2000;

/** A row as it is written. */
export type LoggedRow = readonly (string | number | null)[];

export interface RowLogOptions {
  readonly folder: string;
  /** Hears the rows that were written, in the order of writing and many at once, before `openRowLog` returns. */
  readonly replay: (rows: readonly LoggedRow[]) => void;
  /** All that is still wanted, as rows: what a log is replaced by when it has grown to several times that. */
  readonly wanted: () => Iterable<readonly LoggedRow[]>;
  readonly onFailure: (error: unknown) => void;
  readonly compactAfterBytes?: number;
}

/** Rows on this machine's disk. What `append` has confirmed is there after a crash of the process or of the machine. */
export interface RowLog {
  /**
   * Written and synced before it resolves; appends that come meanwhile are synced together.
   *
   * @throws {MlError} `StoreFull`, `StoreUnavailable`: then the rows may be there or not, and can be appended again.
   */
  append(rows: readonly LoggedRow[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * A log is lines of rows, each with its checksum, in a file; when it has grown it goes on in the next one, while what is still wanted of all before is
 * written to a snapshot. Rows that are in both are put twice, which changes nothing.
 *
 * @throws {MlError} `LogCorrupt` if a line is damaged that others follow. A last line that was cut off was never confirmed, and is dropped.
 */
export async function openRowLog(options: RowLogOptions): Promise<RowLog> {
  const { folder, wanted, onFailure } = options;
  await makeFolder(folder);
  let { number, file, bytes, snapshotBytes } = await recover(options);
  let waiting: { readonly rows: readonly LoggedRow[]; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  let isTorn = false;
  /** Whether the file would be found after a power cut: before a row in it is confirmed it must be. */
  let isListed = true;
  let isWriting = false;
  let writing: Promise<void> | undefined;
  let compacting: Promise<void> | undefined;

  /** Never throws. Ends in the same turn in which it finds nothing more. */
  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const line = lineOf(batch.flatMap(({ rows }) => rows));
        // What was written of a line that failed would stand before this one.
        if (isTorn) await file.truncate(bytes);
        isTorn = true;
        await file.appendFile(line);
        await file.datasync();
        if (!isListed) await syncFolder(folder);
        isListed = true;
        isTorn = false;
        bytes += line.length;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = storeError(error, folder, nameOf(number, 'log'));
        for (const { reject } of batch) reject(failure);
      }
      const isLong = bytes > Math.max(options.compactAfterBytes ?? compactAfterBytes, 2 * snapshotBytes);
      // The file that is left must be whole: nothing but the newest log may end in the middle of a line.
      if (isLong && !isTorn) await startCompacting().catch(onFailure);
    }
    isWriting = false;
  }

  async function startCompacting(): Promise<void> {
    if (compacting !== undefined) return;
    const last = file;
    file = await open(join(folder, nameOf(number + 1, 'log')), 'a');
    [number, bytes, isListed] = [number + 1, 0, false];
    // What was written to it is synced: closing it can lose nothing.
    await last.close().catch(onFailure);
    compacting = writeSnapshot(folder, number, wanted())
      .then((written) => void (snapshotBytes = written))
      .catch(onFailure)
      .finally(() => (compacting = undefined));
  }

  return {
    append: (rows) =>
      new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject });
        if (!isWriting) writing = writeAll();
      }),
    async close() {
      await writing;
      await compacting;
      await file.close();
    },
  };
}

type Kind = 'log' | 'snapshot';
const nameOf = (number: number, kind: Kind): string => `${String(number).padStart(8, '0')}.${kind}`;

/** Reads the newest snapshot and the logs since, and opens the last of them for more. */
async function recover({ folder, replay }: RowLogOptions) {
  const names = await readdir(folder);
  const numbersOf = (kind: Kind): readonly number[] =>
    names
      .filter((name) => name.endsWith(`.${kind}`))
      .map((name) => Number.parseInt(name, 10))
      .toSorted((a, b) => a - b);
  const newest = numbersOf('snapshot').at(-1) ?? 0;
  const logs = numbersOf('log').filter((number) => number >= newest);
  const snapshotBytes = newest === 0 ? 0 : await replayFile(join(folder, nameOf(newest, 'snapshot')), replay);
  for (const number of logs.slice(0, -1)) await replayFile(join(folder, nameOf(number, 'log')), replay);
  const number = logs.at(-1) ?? newest;
  const path = join(folder, nameOf(number, 'log'));
  const bytes = logs.length === 0 ? 0 : await replayFile(path, replay, true);
  const file = await open(path, 'a');
  await file.truncate(bytes);
  await file.datasync();
  await syncFolder(folder);
  await removeBefore(folder, newest);
  return { number, file, bytes, snapshotBytes };
}

async function writeSnapshot(folder: string, number: number, wanted: Iterable<readonly LoggedRow[]>): Promise<number> {
  const path = join(folder, nameOf(number, 'snapshot'));
  const file = await open(`${path}.new`, 'w');
  let bytes = 0;
  try {
    let rows: LoggedRow[] = [];
    // Between lines others are answered.
    const write = async (): Promise<void> => {
      const line = lineOf(rows);
      rows = [];
      await file.appendFile(line);
      bytes += line.length;
    };
    for (const some of wanted) {
      for (const row of some) {
        rows.push(row);
        if (rows.length === rowsOfLine) await write();
      }
    }
    await write();
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(folder);
  await removeBefore(folder, number);
  return bytes;
}

/** Removes what a snapshot has made useless, and what a killed process left of one. */
async function removeBefore(folder: string, number: number): Promise<void> {
  const isOld = (name: string): boolean => /^\d+\.(log|snapshot)$/.test(name) && Number.parseInt(name, 10) < number;
  const old = (await readdir(folder)).filter((name) => isOld(name) || name.endsWith('.new'));
  await Promise.all(old.map((name) => rm(join(folder, name))));
}

function lineOf(rows: readonly LoggedRow[]): Buffer {
  const text = JSON.stringify(rows);
  return Buffer.from(`${checksumOf(text)} ${text}\n`);
}

/** Eight digits and a space. */
const checksumLength = 9;
const checksumOf = (text: string | Buffer): string => crc32(text).toString(16).padStart(8, '0');

/** Reads a file's lines, and returns how many bytes of it are whole: all, but of the newest log, whose last line may have been cut off. */
async function replayFile(path: string, replay: RowLogOptions['replay'], isNewest = false): Promise<number> {
  let [whole, seen] = [0, 0];
  let rows: LoggedRow[] = [];
  for await (const line of linesOf(path)) {
    if (seen > whole) throw damaged(path, whole);
    seen += line.length;
    const text = line.subarray(checksumLength, -1);
    if (line.at(-1) !== newline || line.toString('latin1', 0, checksumLength - 1) !== checksumOf(text)) continue;
    for (const row of JSON.parse(text.toString('utf8')) as readonly LoggedRow[]) rows.push(row);
    whole += line.length;
    if (rows.length < rowsOfLine) continue;
    replay(rows);
    rows = [];
  }
  replay(rows);
  if (seen > whole && !isNewest) throw damaged(path, whole);
  return whole;
}

const damaged = (path: string, at: number): MlError =>
  new MlError('LogCorrupt', `${path} is damaged at byte ${at}: remove its folder, and push the rows of the longest window again`, { path, at });

const newline = 10;

/** Lines with their ends; the last may have none. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end + 1)]);
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
