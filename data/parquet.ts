import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { literal, quoted } from '../core/sql.ts';
import type { DataContext, Duckdb } from './duckdb.ts';

const heartbeatEveryBytes = 64 * 1024 * 1024;

/** A list of names in SQL. */
export const quotedList = (names: readonly string[]): string => names.map(quoted).join(', ');

/** Parquet files as a relation in SQL. */
export const parquet = (...paths: readonly string[]): string => `read_parquet([${paths.map(literal).join(', ')}])`;

/**
 * Sorts keys as people do: whole numbers first and by value, then text by its bytes. A total order that depends on nothing but the key; where
 * all are numbers it is the order of numbers, although keys are text. `DESC` is its exact reverse.
 */
export function naturalOrder(column: string, direction: 'ASC' | 'DESC' = 'ASC'): string {
  const order = direction === 'ASC' ? 'ASC NULLS LAST' : 'DESC NULLS FIRST';
  return `TRY_CAST(${quoted(column)} AS HUGEINT) ${order}, ${quoted(column)} ${order}`;
}

/**
 * Writes a relation as Parquet, the same bytes for the same rows. `order` must be total (a unique key): Parquet written by several threads is
 * only stable under a final order.
 */
export async function writeParquet(db: Duckdb, select: string, order: string, out: string): Promise<{ readonly bytes: number }> {
  await db.run(
    `COPY (SELECT * FROM (${select}\n) ORDER BY ${order}) TO ${literal(out)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, USE_TMP_FILE false)`,
  );
  return { bytes: (await stat(out)).size };
}

/** Column names and DuckDB types of a relation. */
export async function describe(db: Duckdb, relation: string): Promise<readonly { readonly name: string; readonly type: string }[]> {
  const columns = await db.rows(`DESCRIBE SELECT * FROM ${relation}`);
  return columns.map((column) => ({ name: String(column['column_name']), type: String(column['column_type']) }));
}

/** Hashes a file of any size in constant memory. */
export async function fileSha256(path: string, context: Pick<DataContext, 'signal' | 'heartbeat'>): Promise<string> {
  const hash = createHash('sha256');
  const total = (await stat(path)).size;
  let done = 0;
  let told = 0;
  for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20, signal: context.signal })) {
    hash.update(bytes as Buffer);
    done += (bytes as Buffer).length;
    if (done - told < heartbeatEveryBytes) continue;
    told = done;
    context.heartbeat?.({ step: 'hash', done, total });
  }
  return hash.digest('hex');
}
