import { MlError } from '../core/errors.ts';
import type { Window } from '../core/manifest.ts';
import { quoted } from '../core/sql.ts';
import { instantMs } from '../core/window.ts';
import { namedColumns } from './column-kinds.ts';
import { withDuckdb, type DataContext } from './duckdb.ts';
import { describe, parquet, quotedList } from './parquet.ts';
import { checkedRows, rowsPredicate, timestamp, type RowsInput } from './rows.ts';
import type { Fold } from './split.ts';
import { viewSources } from './select.ts';

export interface LeakReport {
  /** How the sources were cut: at a moment, by taking the test rows' own source rows out, or not at all (nothing could be cut). */
  readonly cut: 'time' | 'key' | 'none';
  /** The sources that were cut. */
  readonly sources: readonly string[];
  /** Training and validation rows compared. */
  readonly rows: number;
}

/**
 * The generic leak check: rows rebuilt from sources that do not know the test rows must equal the training and validation rows, in every column.
 * If they differ, a feature looked into the future, or at the very answer.
 *
 * A fold with one moment (`testFrom`) cuts each source that has a time there. Otherwise the source rows that bear a test row's key are taken out.
 *
 * @throws {MlError} `LeakFound`, with the columns that differ.
 */
export async function checkLeak(
  input: RowsInput & { readonly rows: string; readonly window: Window; readonly fold: Fold },
  context: DataContext,
): Promise<LeakReport> {
  const { spec, snapshots, rows, fold } = input;
  const key = spec.rows.key;
  const test = `SELECT ${quotedList(key)} FROM ${parquet(fold.path)} WHERE part = 'test'`;
  const cuts: Record<string, string> = {};
  for (const [name, source] of Object.entries(spec.sources)) {
    if (fold.testFrom !== undefined) {
      if (source.time !== undefined) cuts[name] = `${quoted(source.time)} < ${timestamp(instantMs(fold.testFrom))}`;
    } else if (key.every((column) => namedColumns(source).some((declared) => declared.name === column))) {
      cuts[name] = `(${quotedList(key)}) NOT IN (${test})`;
    }
  }
  const sources = Object.keys(cuts);
  if (sources.length === 0) return { cut: 'none', sources, rows: 0 };

  return withDuckdb({ read: [...Object.values(snapshots), rows, fold.path] }, context, async (db) => {
    await viewSources(db, snapshots, cuts);
    const select = await checkedRows(db, spec);
    const known = `SELECT r.* FROM ${parquet(rows)} r SEMI JOIN (SELECT * FROM ${parquet(fold.path)} WHERE part <> 'test') s USING (${quotedList(key)})`;
    // Rows after a fold's horizon belong to no part; where the cut is a moment it has removed them, where it is by key there are none.
    const rebuilt = `SELECT * FROM (${select}\n) WHERE ${rowsPredicate(spec, input.window, input.segment)}`;
    await db.run(`CREATE TEMP TABLE known AS ${known}`);
    await db.run(`CREATE TEMP TABLE rebuilt AS ${rebuilt}`);
    const columns = (await describe(db, 'known')).map(({ name }) => name).filter((name) => !key.includes(name));
    const differs = (name: string) => `k.${quoted(name)} IS DISTINCT FROM b.${quoted(name)}`;
    const counts = await db.row(
      `SELECT count(*) FILTER (in_known AND in_rebuilt IS NULL)::DOUBLE AS "0", count(*) FILTER (in_known IS NULL)::DOUBLE AS "1", ` +
        `count(*) FILTER (in_known)::DOUBLE AS "2"${columns.map((name, i) => `, count(*) FILTER (in_known AND in_rebuilt AND ${differs(name)})::DOUBLE AS "c${i}"`).join('')} ` +
        `FROM (SELECT *, true AS in_known FROM known) k FULL JOIN (SELECT *, true AS in_rebuilt FROM rebuilt) b USING (${quotedList(key)})`,
    );
    const [lost, extra] = [Number(counts['0']), Number(counts['1'])];
    const changed = columns.map((name, i) => ({ name, rows: Number(counts[`c${i}`]) })).filter((column) => column.rows > 0);
    if (lost + extra + changed.length === 0) return { cut: fold.testFrom === undefined ? 'key' : 'time', sources, rows: Number(counts['2']) };
    const found = [
      ...changed.map((column) => `column "${column.name}" differs in ${column.rows} rows`),
      ...(lost > 0 ? [`${lost} rows are missing`] : []),
      ...(extra > 0 ? [`${extra} rows are new`] : []),
    ];
    throw new MlError(
      'LeakFound',
      `rows.sql looks at what it is to be examined on: rebuilt without the test rows of fold "${fold.name}" (${sources.join(', ')} cut), ${found.join(', ')}. ` +
        'A feature of a row may use only what was known at its time',
      { fold: fold.name, columns: changed, lost, extra },
    );
  });
}
