import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { aggregateGroups } from '../core/aggregates.ts';
import { type Connection, connectionOf, splitFrom } from '../core/connection.ts';
import { keptShapes, lateMs } from '../core/features/kept-rows.ts';
import type { ModelSpec, SourceReader, SourceSpec } from '../core/model-spec.ts';
import { quoted } from '../core/sql.ts';
import type { DataContext, Duckdb } from '../data/duckdb.ts';
import type { SnapshotRequest } from '../data/sources/reader.ts';
import type { RequestRow } from '../serving/index.ts';
import { misuse } from './misuse.ts';
import type { Workplace } from './workplace.ts';

/** Rows of a source as a server takes them, some at a time, oldest first. */
export interface SourceRows {
  /** How many there are; of a stream nobody knows. */
  readonly total?: number;
  readonly batches: AsyncIterable<readonly RequestRow[]>;
}

const rowsOfBatch = 2000;
/** What comes on standard input waits no longer for company. */
const lingerMs = 100;

const byExtension: Readonly<Record<string, SourceReader>> = {
  '.csv': 'csv',
  '.gz': 'csv',
  '.parquet': 'parquet',
  '.json': 'json',
  '.jsonl': 'json-lines',
  '.ndjson': 'json-lines',
};

/** Reads a source's rows that windows may hold, from its connection or from a file of its form, for as long as `use` takes. */
export async function withSourceRows<T>(
  at: Workplace,
  { spec, name, file, signal }: { readonly spec: ModelSpec; readonly name: string; readonly file?: string; readonly signal: AbortSignal },
  use: (rows: SourceRows) => Promise<T>,
): Promise<T> {
  const [{ readers }, { withDuckdb }] = await Promise.all([import('../data/sources/index.ts'), import('../data/duckdb.ts')]);
  await mkdir(join(at.settings.home, 'work'), { recursive: true });
  const scratch = await mkdtemp(join(at.settings.home, 'work', 'push-'));
  try {
    const context: DataContext = { signal, scratch };
    const request = await requestOf(at, spec.sources[name]!, name, file, scratch);
    await readers[request.source.read].snapshot(request, context);
    return await withDuckdb({ read: [request.out] }, context, async (db) => use(await rowsIn(db, spec, name, request.out)));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function requestOf(at: Workplace, source: SourceSpec, name: string, file: string | undefined, scratch: string): Promise<SnapshotRequest> {
  const { readSecret } = await import('../workers/config.ts');
  const rest = { name, readSecret, out: join(scratch, 'rows.parquet'), resume: join(scratch, 'resume') };
  const { connections } = at.settings;
  if (file === undefined) return { ...rest, source, ...connectionOf(connections, source.from) };
  const { connection: connectionName } = splitFrom(source.from);
  const connection = connections[connectionName];
  const read = byExtension[extname(file.replace(/\.age$/, ''))] ?? source.read;
  // Its keys are those of the source.
  const folder: Connection = { ...(connection?.kind === 'folder' && connection), kind: 'folder', path: dirname(resolve(file)) };
  return { ...rest, source: { ...source, read, from: `${connectionName}:/${basename(file)}` }, connection: folder, path: `/${basename(file)}` };
}

async function rowsIn(db: Duckdb, spec: ModelSpec, name: string, path: string): Promise<SourceRows> {
  const [{ namedColumns }, { naturalOrder, parquet }] = await Promise.all([import('../data/column-kinds.ts'), import('../data/parquet.ts')]);
  const { key, columns, time } = spec.sources[name]!;
  const { tables } = keptShapes(spec).find(({ source }) => source === name)!;
  const at = quoted(time!);
  const keptMs = Math.max(...tables.map(({ keepMs }) => keepMs)) + lateMs;
  const wanted = `${at} > (SELECT max(${at}) FROM ${parquet(path)}) - INTERVAL ${keptMs} MILLISECONDS`;
  const names = [...new Set([...key, time!, ...tables.flatMap((table) => [table.by, ...table.columns])])];
  const integers = new Set(namedColumns({ columns }).flatMap((column) => (column.kind === 'integer' ? [column.name] : [])));
  const values = names.map((column) => {
    if (column === time) return `strftime(${at}, '%Y-%m-%dT%H:%M:%S.%gZ')`;
    // Beyond 2^53 a whole number is not sent exactly, and is no feature either.
    return integers.has(column) ? `CAST(${quoted(column)} AS DOUBLE)` : quoted(column);
  });
  const { total } = await db.row(`SELECT count(*)::DOUBLE AS total FROM ${parquet(path)} WHERE ${wanted}`);
  const select = `SELECT ${values.join(', ')} FROM ${parquet(path)} WHERE ${wanted} ORDER BY ${[at, ...key.map((column) => naturalOrder(column))].join(', ')}`;
  async function* batches(): AsyncGenerator<readonly RequestRow[]> {
    for await (const chunk of db.chunks(select)) {
      yield chunk.getRows().map((row) => Object.fromEntries(names.map((column, i) => [column, row[i] as RequestRow[string]])));
    }
  }
  return { total: Number(total), batches: batches() };
}

/** Rows as JSON lines on standard input, by the names of the spec. They are passed on soon after they come. */
export function rowsOnInput(input: NodeJS.ReadableStream): SourceRows {
  async function* batches(): AsyncGenerator<readonly RequestRow[]> {
    const lines = createInterface({ input })[Symbol.asyncIterator]();
    let batch: RequestRow[] = [];
    let number = 0;
    for (let next = lines.next(); ;) {
      const line = await (batch.length === 0 ? next : Promise.race([next, sleep(lingerMs, undefined)]));
      if (line !== undefined) {
        number++;
        if (line.done !== true && line.value.trim() !== '') batch.push(rowOf(line.value, number));
        if (line.done !== true) next = lines.next();
      }
      if (batch.length === rowsOfBatch || line === undefined || line.done === true) {
        if (batch.length > 0) yield batch;
        batch = [];
      }
      if (line?.done === true) return;
    }
  }
  return { batches: batches() };
}

function rowOf(line: string, number: number): RequestRow {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as RequestRow;
  } catch (cause) {
    throw misuse(`line ${number} of standard input is no JSON: ${(cause as Error).message}`);
  }
  throw misuse(`line ${number} of standard input is no JSON object: write {"id": "7", "at": "2026-03-29T18:30:00Z", …}`);
}

/** The source whose rows are pushed. */
export function pushedSource(spec: ModelSpec, given: string | undefined): string {
  const sources = [...new Set(aggregateGroups(spec).map(({ source }) => source))];
  if (sources.length === 0) throw misuse(`${spec.name} has no aggregates, so nothing is kept of its rows`);
  if (given === undefined ? sources.length === 1 : sources.includes(given)) return given ?? sources[0]!;
  throw misuse(
    `${given === undefined ? `aggregates of ${spec.name} are of several sources: give --source` : `no aggregates of ${spec.name} are of "${given}"`}: ${sources.join(', ')}`,
  );
}
