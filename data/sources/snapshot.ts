import { MlError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { quoted } from '../../core/sql.ts';
import { castExpression, isBad, namedColumns } from '../column-kinds.ts';
import { withDuckdb, type DataContext, type Duckdb } from '../duckdb.ts';
import { describe, naturalOrder, parquet, writeParquet } from '../parquet.ts';
import type { SnapshotFacts, SnapshotRequest } from './reader.ts';

export interface RawRelation {
  /** In SQL, over `files`: `read_csv(…)`. */
  readonly relation: string;
  readonly files: readonly string[];
  /** Makes the relation where it is no file's. */
  readonly fill?: (db: Duckdb) => Promise<void>;
  /** Whether its columns are all text. */
  readonly text: boolean;
  readonly sourceSha256: string;
}

/**
 * Casts a raw relation to the declared columns and writes it as Parquet, sorted by key and then by everything else, so that equal rows give
 * equal bytes even where a key is not unique (the contract tells that).
 *
 * @throws {MlError} `SourceInvalid` if it cannot be read, a column is missing, or a value is not of its column's kind.
 */
export async function writeSnapshot(request: SnapshotRequest, raw: RawRelation, context: DataContext): Promise<SnapshotFacts> {
  const { name, source, out } = request;
  const columns = namedColumns(source);
  return withDuckdb({ read: raw.files, write: [out] }, context, async (db) => {
    const malformed = (error: unknown): never => {
      if (!(error instanceof MlError) || error.code !== 'SqlFailed') throw error;
      throw new MlError(
        'SourceInvalid',
        `source "${name}" (${source.from}) cannot be read as ${source.read}: ${error.message.replaceAll('\n', ' ')}`,
        {},
        { cause: error },
      );
    };
    await raw.fill?.(db);
    const found = (await describe(db, raw.relation).catch(malformed)).map((column) => column.name);
    expectColumns(
      request,
      found,
      columns.map((column) => column.named),
    );
    const casts = columns.map((column) => `${castExpression(column, raw.text)} AS ${quoted(column.name)}`).join(', ');
    const rest = columns.map((column) => column.name).filter((column) => !source.key.includes(column));
    const order = [...source.key.map((key) => naturalOrder(key)), ...rest.map((column) => `${quoted(column)} NULLS LAST`)].join(', ');
    const bad = columns.map((column) => isBad(column, raw.text)).filter((condition) => condition !== 'false');
    if (bad.length > 0) await refuseBadValues(db, request, raw).catch(malformed);
    const { bytes } = await writeParquet(db, `SELECT ${casts} FROM ${raw.relation}`, order, out).catch(malformed);
    return { sourceSha256: raw.sourceSha256, ...(await timeRange(db, out, source.time)), bytes };
  });
}

/** @throws {MlError} `SourceInvalid` if the source lacks a column that is wanted. */
export function expectColumns({ name, source }: SnapshotRequest, found: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.find((column) => !found.includes(column));
  if (missing === undefined) return;
  const hint = nearest(missing, found);
  throw new MlError(
    'SourceInvalid',
    `source "${name}" (${source.from}) has no column "${missing}"; it has ${found.join(', ')}${hint === undefined ? '' : ` (did you mean "${hint}"?)`}`,
    { source: name, column: missing },
  );
}

/** Says how many values are bad, and none of them: an error goes to Temporal's history, where no person's row belongs. */
async function refuseBadValues(db: Duckdb, request: SnapshotRequest, raw: RawRelation): Promise<void> {
  const columns = namedColumns(request.source);
  const counts = columns.map((column) => `count(*) FILTER (${isBad(column, raw.text)}) AS ${quoted(column.name)}`).join(', ');
  const row = await db.row(`SELECT count(*) AS "rows of all", ${counts} FROM ${raw.relation}`);
  for (const column of columns) {
    const count = Number(row[column.name]);
    if (count === 0) continue;
    throw new MlError(
      'SourceInvalid',
      `column "${column.named}" of source "${request.name}" is declared as ${column.kind}, but ${count} of ${String(row['rows of all'])} values are not: ` +
        'repair the source or declare another kind',
      { source: request.name, column: column.named, kind: column.kind, count },
    );
  }
}

/** Rows of a Parquet file, and the first and last instant of its time column. */
export async function timeRange(
  db: Duckdb,
  path: string,
  time: string | undefined,
): Promise<{ readonly rows: number; readonly timeFrom?: string; readonly timeTo?: string }> {
  const iso = (aggregate: string) => `strftime(${aggregate}, '%Y-%m-%dT%H:%M:%S.%gZ')`;
  const range = time === undefined ? '' : `, ${iso(`min(${quoted(time)})`)} AS a, ${iso(`max(${quoted(time)})`)} AS z`;
  const row = await db.row(`SELECT count(*) AS rows${range} FROM ${parquet(path)}`);
  const [from, to] = [row['a'], row['z']];
  return { rows: Number(row['rows']), ...(typeof from === 'string' && { timeFrom: from }), ...(typeof to === 'string' && { timeTo: to }) };
}

/** A struct of text columns in SQL, for readers that are told what to look for: `{"userId": 'VARCHAR'}`. */
export const textColumns = (request: SnapshotRequest): string =>
  `{${namedColumns(request.source)
    .map((column) => `${quoted(column.named)}: 'VARCHAR'`)
    .join(', ')}}`;
