import { quotedList } from './parquet.ts';
import { withDuckdb } from './duckdb.ts';
import type { DataContext } from './duckdb.ts';
import { parquet, writeParquet } from './parquet.ts';

export interface SeenInput {
  readonly split: string;
  readonly key: readonly string[];
  /** Split files of earlier exams: their training and validation rows have been seen. */
  readonly seenBy: readonly string[];
  readonly out: string;
}

/**
 * Takes test rows that somebody has already been fitted on out of a split, so that an exam is fair. Returns how many; writes `out` only if there
 * are any.
 */
export async function leaveOutSeen({ split, key, seenBy, out }: SeenInput, context: DataContext): Promise<number> {
  if (seenBy.length === 0) return 0;
  return withDuckdb({ read: [split, ...seenBy], write: [out] }, context, async (db) => {
    const columns = quotedList(key);
    const seen = seenBy.map((path) => `SELECT ${columns} FROM ${parquet(path)} WHERE part <> 'test'`).join(' UNION ');
    await db.run(`CREATE TEMP TABLE seen AS ${seen}`);
    const row = await db.row(
      `SELECT count(*)::INTEGER AS n FROM (SELECT ${columns} FROM ${parquet(split)} WHERE part = 'test') SEMI JOIN seen USING (${columns})`,
    );
    const count = Number(row['n']);
    if (count === 0) return 0;
    const kept = `SELECT * FROM ${parquet(split)} WHERE part <> 'test' OR (${columns}) NOT IN (SELECT (${columns}) FROM seen)`;
    await writeParquet(db, kept, columns, out);
    return count;
  });
}
