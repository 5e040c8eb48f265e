import { quoted } from '../core/sql.ts';
import type { Duckdb } from './duckdb.ts';
import { parquet, quotedList } from './parquet.ts';

/** Test rows that equal a training or validation row in all inputs and the label, though their keys differ. */
export interface Twins {
  readonly test: number;
  readonly twins: number;
  /** So many test rows would have a twin by chance, since their columns are few and coarse. Not counted where there are few twins. */
  readonly byChance: number;
}

export interface TwinsInput {
  readonly rows: string;
  readonly split: string;
  readonly key: readonly string[];
  /** What a model is given of a row, and the label. */
  readonly columns: readonly string[];
}

/** So large a share of the test rows may have twins beyond chance. */
const fewTwins = 0.01;

/** Twins beyond chance: rows that were entered twice, once on each side of the split. 0 where they are few, or within three standard errors of chance. */
export function copiesAmong({ test, twins, byChance }: Twins): number {
  const copies = Math.round(twins - byChance);
  return copies > fewTwins * test + 3 * Math.sqrt(byChance) ? copies : 0;
}

/**
 * Looks for test rows that a model may know by heart.
 *
 * How many are equal by chance is told by those that are nearly equal: if n rows are like a test row in all columns but one, and its value there is that of
 * a share p of all rows, np rows would be like it in that one, too. Of the columns the one counts by which that is most, so that columns that follow from each other
 * make nothing look rare.
 */
export async function findTwins(db: Duckdb, { rows, split, key, columns }: TwinsInput): Promise<Twins> {
  const hash = (but?: string): string =>
    `hash(${columns
      .filter((column) => column !== but)
      .map(quoted)
      .join(', ')}, 0)`;
  const keys = quotedList(key);
  await db.run(
    `CREATE TEMP TABLE divided AS SELECT r.*, s.part = 'test' AS "in the test", ${hash()} AS "the whole" FROM ${parquet(rows)} r JOIN ${parquet(split)} s USING (${keys})`,
  );
  await db.run(`CREATE TEMP VIEW known AS SELECT * FROM divided WHERE NOT "in the test"`);
  await db.run(
    `CREATE TEMP TABLE asked AS SELECT d.*, coalesce(k.n, 0) AS alike FROM divided d LEFT JOIN (SELECT "the whole", count(*) AS n FROM known GROUP BY 1) k USING ("the whole") WHERE "in the test"`,
  );
  const counts = await db.row('SELECT count(*)::DOUBLE AS test, count(*) FILTER (alike > 0)::DOUBLE AS twins FROM asked');
  const [test, twins] = [Number(counts['test']), Number(counts['twins'])];
  if (twins <= fewTwins * test) return { test, twins, byChance: 0 };

  const nearly = columns.map((column) => {
    const [own, others] = [`hash(${quoted(column)})`, hash(column)];
    return (
      `SELECT ${keys}, (l.n - a.alike) * v.n / (SELECT count(*) FROM known) AS expected FROM (SELECT *, ${others} AS others, ${own} AS own FROM asked) a ` +
      `JOIN (SELECT ${others} AS others, count(*) AS n FROM known GROUP BY 1) l USING (others) JOIN (SELECT ${own} AS own, count(*) AS n FROM known GROUP BY 1) v USING (own)`
    );
  });
  const { chance } = await db.row(
    `SELECT coalesce(sum(1 - exp(-expected)), 0)::DOUBLE AS chance FROM (SELECT max(expected) AS expected FROM (${nearly.join(' UNION ALL ')}) GROUP BY ${keys})`,
  );
  return { test, twins, byChance: Number(chance) };
}
