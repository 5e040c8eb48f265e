import { quoted } from '../core/sql.ts';
import { withOwnDuckdb, type DataContext } from './duckdb.ts';
import { describe, parquet } from './parquet.ts';

/** What a column looks like: the reference for drift. Deterministic; figures are rounded to 12 significant digits. */
export interface ColumnProfile {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly nulls: number;
  readonly distinct: number;
  /** Of the finite numbers; of times as milliseconds since 1970. */
  readonly numbers?: {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    readonly std: number;
    /** At 0.01, 0.05, 0.1, 0.2, … 0.9, 0.95, 0.99; linear between ranks. */
    readonly quantiles: readonly number[];
  };
  /** The most frequent values of text and flags, ties by value. */
  readonly top?: readonly { readonly value: string; readonly count: number }[];
}

export interface Profile {
  readonly format: 1;
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

export const profileQuantiles = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99] as const;
const topValues = 20;

/** Statistics of each column of a Parquet file. */
export async function profile(path: string, context: DataContext): Promise<Profile> {
  return withOwnDuckdb(context, async (db) => {
    const from = parquet(path);
    const { rows } = await db.row(`SELECT count(*)::DOUBLE AS rows FROM ${from}`);
    const columns: ColumnProfile[] = [];
    for (const { name, type } of await describe(db, from)) {
      const column = quoted(name);
      const counts = await db.row(
        `SELECT count(*) FILTER (${column} IS NULL)::DOUBLE AS nulls, count(DISTINCT ${column})::DOUBLE AS distinct_values FROM ${from}`,
      );
      const base = { name, type, count: Number(rows), nulls: Number(counts['nulls']), distinct: Number(counts['distinct_values']) };
      if (base.count === base.nulls) columns.push(base);
      else if (/^(DOUBLE|FLOAT|DECIMAL|U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|TIMESTAMP|DATE)/.test(type)) {
        const value = /^(TIMESTAMP|DATE)/.test(type) ? `epoch_ms(CAST(${column} AS TIMESTAMP))::DOUBLE` : `${column}::DOUBLE`;
        // fsum compensates, and the order is fixed: a plain sum of floats differs between runs of two threads.
        const stats = await db.row(
          `SELECT min(v) AS lo, max(v) AS hi, quantile_cont(v, [${profileQuantiles.join(', ')}]) AS q, ` +
            `list_aggregate(list(v ORDER BY v), 'fsum') / count(v) AS mean, count(v)::DOUBLE AS n FROM (SELECT ${value} AS v FROM ${from}) WHERE isfinite(v)`,
        );
        if (Number(stats['n']) === 0) {
          columns.push(base);
          continue;
        }
        const mean = Number(stats['mean']);
        const spread = await db.row(
          `SELECT list_aggregate(list(s ORDER BY s), 'fsum') AS s FROM (SELECT pow(${value} - ${mean}::DOUBLE, 2) AS s FROM ${from}) WHERE isfinite(s)`,
        );
        const n = Number(stats['n']);
        columns.push({
          ...base,
          numbers: {
            min: Number(stats['lo']),
            max: Number(stats['hi']),
            mean: rounded(mean),
            std: rounded(n > 1 ? Math.sqrt(Number(spread['s']) / (n - 1)) : 0),
            quantiles: (stats['q'] as readonly number[]).map(rounded),
          },
        });
      } else {
        const top = await db.rows(
          `SELECT CAST(${column} AS VARCHAR) AS value, count(*)::DOUBLE AS count FROM ${from} WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${topValues}`,
        );
        columns.push({ ...base, top: top.map(({ value, count }) => ({ value: String(value), count: Number(count) })) });
      }
    }
    return { format: 1, rows: Number(rows), columns };
  });
}

const rounded = (value: number): number => Number(value.toPrecision(12));
