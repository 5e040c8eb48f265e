import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { literal, quoted } from '../core/sql.ts';
import { withDuckdb } from '../data/duckdb.ts';
import type { DataContext, Duckdb } from '../data/duckdb.ts';
import type { Blob, Blobs } from '../stores/blobs.ts';
import { tableNames, tables } from './tables.ts';
import type { Rows, TableName } from './tables.ts';

/** Rows that were indexed together: a Parquet file for each table that has any. */
export interface Segment {
  readonly rows: number;
  readonly tables: { readonly [T in TableName]?: Blob };
}

/** Small, so that a look at one digest reads little. */
const rowGroup = 8192;

/** Where the rows of a table are: Parquet files of the index, and lines of JSON that it does not have yet. */
type Files = { readonly [T in TableName]: { readonly parquet: readonly string[]; readonly lines?: string } };

/**
 * Opens the tables as views over the segments and the rows that are in none of them yet. A row may be in both.
 *
 * @throws {MlError} `ArtifactMissing`, `ArtifactCorrupt` if a segment is lost or damaged.
 */
export async function withTables<T>(
  { blobs, segments, rows }: { readonly blobs: Blobs; readonly segments: readonly Segment[]; readonly rows: Rows },
  context: DataContext,
  use: (db: Duckdb) => Promise<T>,
  write: readonly string[] = [],
): Promise<T> {
  const lines: string[] = [];
  const files = Object.fromEntries(
    await Promise.all(
      tableNames.map(async (name) => {
        const parquet = await Promise.all(segments.flatMap(({ tables: { [name]: blob } }) => (blob ? [blobs.open(blob.sha256)] : [])));
        if (rows[name].length === 0) return [name, { parquet }];
        const path = join(context.scratch, `${name}.jsonl`);
        await writeLines(path, rows[name]);
        lines.push(path);
        return [name, { parquet, lines: path }];
      }),
    ),
  ) as Files;
  try {
    const read = Object.values(files).flatMap(({ parquet, lines: path }) => (path === undefined ? parquet : [...parquet, path]));
    return await withDuckdb({ read, write }, context, async (db) => {
      for (const name of tableNames) await db.run(`CREATE VIEW ${name} AS ${relation(name, files[name])}`);
      return use(db);
    });
  } finally {
    for (const path of lines) await rm(path, { force: true });
  }
}

function relation(name: TableName, { parquet, lines }: Files[TableName]): string {
  const columns = tables[name].columns;
  const list = columns.map(quoted).join(', ');
  const parts = [
    ...(parquet.length === 0 ? [] : [`SELECT ${list} FROM read_parquet([${parquet.map(literal).join(', ')}])`]),
    ...(lines === undefined
      ? []
      : [
          `SELECT ${list} FROM read_json(${literal(lines)}, format = 'newline_delimited', columns = {${columns.map((column) => `${literal(column)}: 'VARCHAR'`).join(', ')}})`,
        ]),
  ];
  if (parts.length > 0) return parts.join(' UNION ALL ');
  return `SELECT ${columns.map((column) => `NULL::VARCHAR AS ${quoted(column)}`).join(', ')} WHERE false`;
}

/** Writes rows, and the segments that they are merged with, as one segment. */
export async function writeSegment(
  from: { readonly blobs: Blobs; readonly segments: readonly Segment[]; readonly rows: Rows },
  context: DataContext,
): Promise<Segment> {
  const has = tableNames.filter((name) => from.rows[name].length > 0 || from.segments.some((segment) => segment.tables[name] !== undefined));
  const paths = has.map((name) => [name, join(context.scratch, `${name}.parquet`)] as const);
  const rows = await withTables(
    from,
    context,
    async (db) => {
      let count = 0;
      for (const [name, path] of paths) {
        const order = tables[name].order.map((column) => quoted(column)).join(', ');
        await db.run(
          `COPY (SELECT DISTINCT * FROM ${name} ORDER BY ${order}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroup})`,
        );
        count += Number((await db.row(`SELECT count(*) AS n FROM read_parquet(${literal(path)})`))['n']);
      }
      return count;
    },
    paths.map(([, path]) => path),
  );
  const blobs = await Promise.all(paths.map(async ([name, path]) => [name, await from.blobs.put(path)] as const));
  for (const [, path] of paths) await rm(path, { force: true });
  return { rows, tables: Object.fromEntries(blobs) };
}

const writeLines = (path: string, rows: readonly object[]): Promise<void> =>
  pipeline(
    Readable.from(
      (function* () {
        for (const row of rows) yield `${JSON.stringify(row)}\n`;
      })(),
    ),
    createWriteStream(path),
  );

/**
 * The segments that a new one of so many rows is merged with: from the first on that is less than twice as large as all behind it. So there are never
 * more segments than the logarithm of the rows, and no row is written again more often than that.
 */
export function mergedWith(segments: readonly Segment[], rows: number): number {
  let from = segments.length;
  for (let behind = rows; from > 0 && segments[from - 1]!.rows < 2 * behind; from--) behind += segments[from - 1]!.rows;
  return from;
}
