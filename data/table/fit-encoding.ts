import { type Encoding, type EncodingName, type Feature, type InputKind, type TableEncoding } from '../../core/encoding.ts';
import { quoted } from '../../core/sql.ts';
import type { Vocabulary } from '../../core/tf-idf.ts';
import { inputsOf, type TableKind } from '../../core/tasks/table-exam.ts';
import { type DataContext, type Duckdb, withOwnDuckdb } from '../duckdb.ts';
import type { RowFiles } from '../loaders/loader.ts';
import { inOrder } from '../rows.ts';
import { encoderSql, type SqlEncoder } from './encoders.ts';
import { checkColumns, labelOf, labelSql, rowsOf, type TableSpec } from './rows.ts';
import { fitTerms } from './terms.ts';

/** A level, or a term, with fewer training rows is rare: it is one with those that come later and were never seen. */
const rareBelow = 10;
/** A category of more levels is encoded by its mean label, unless the spec says otherwise. */
const manyLevels = 64;
/** So many terms of a text have features, unless the spec says otherwise. */
const usualTerms = 100;
/** Where levels do not differ at all, a level's mean is that of all. */
const mostWeight = 1e9;

const usual: Readonly<Record<InputKind, readonly Encoding[]>> = {
  number: ['value'],
  integer: ['value'],
  flag: ['value'],
  time: ['hour', 'day-of-week'],
  category: ['code'],
  text: ['tf-idf'],
};

export type TableTarget = { readonly column: string; readonly positive?: string };

/**
 * Fits how the columns of a table become features, on the rows of some parts: levels of categories, mean labels, terms of texts, and what imputing and scaling need.
 *
 * @throws {MlError} `RowsInvalid` if the rows have not what the spec says.
 */
export async function fitEncoding(kind: TableKind, files: RowFiles, table: TableSpec, context: DataContext): Promise<TableEncoding> {
  const target = files.target as TableTarget;
  // Sums of floating-point numbers depend on the order of their terms.
  return withOwnDuckdb(inOrder(context), async (db) => {
    await checkColumns(db, files, table, target.column);
    const { classes } = await labelOf(db, kind, files, target);
    await db.run(`CREATE TEMP TABLE known AS SELECT *, ${labelSql(target.column, classes)} AS "its label" FROM (${rowsOf(files, files.parts)}) r`);
    const inputs = inputsOf(table.request);
    const features: Feature[] = [];
    const vocabularies: Record<string, Vocabulary> = {};
    for (const { name, kind: inputKind } of inputs) {
      for (const way of table.encode?.[name] ?? (await usualOf(db, kind, name, inputKind))) {
        if (way === 'tf-idf' || typeof way === 'object') {
          const terms = await fitTerms(db, name, typeof way === 'object' ? way.terms : usualTerms, rareBelow);
          vocabularies[name] = terms.vocabulary;
          features.push(...terms.features);
        } else {
          const encoder = await encoderOf(db, name, way);
          features.push({ ...nameOf(name, encoder), from: name, encoder, ...(await distribution(db, name, encoder)) });
        }
      }
    }
    return { format: 1, inputs, features, ...(Object.keys(vocabularies).length > 0 && { vocabularies }), ...(classes && { classes }) };
  });
}

function nameOf(from: string, encoder: SqlEncoder): { readonly name: string } {
  const suffix = encoder.by === 'part' ? `.${encoder.part}` : encoder.by === 'mean' ? '.mean' : '';
  return { name: `${from}${suffix}` };
}

async function usualOf(db: Duckdb, task: TableKind, name: string, kind: InputKind): Promise<readonly Encoding[]> {
  const isLarge = kind === 'category' && task !== 'multiclass' && (await levelsOf(db, name)).length > manyLevels;
  return isLarge ? ['mean'] : usual[kind];
}

async function encoderOf(db: Duckdb, name: string, way: Exclude<EncodingName, 'tf-idf'>): Promise<SqlEncoder> {
  if (way === 'value') return { by: 'value' };
  if (way === 'mean') return meanOf(db, name);
  if (way === 'code') return { by: 'code', levels: await levelsOf(db, name) };
  return { by: 'part', part: way };
}

/** The levels of a category that are not rare, the most frequent first. */
async function levelsOf(db: Duckdb, name: string): Promise<readonly string[]> {
  const column = quoted(name);
  const rows = await db.rows(
    `SELECT ${column} AS level FROM known WHERE nullif(${column}, '') IS NOT NULL GROUP BY ${column} HAVING count(*) >= ${rareBelow} ORDER BY count(*) DESC, ${column}`,
  );
  return rows.map(({ level }) => String(level));
}

async function meanOf(db: Duckdb, name: string): Promise<SqlEncoder> {
  const column = quoted(name);
  const of = `FROM known WHERE nullif(${column}, '') IS NOT NULL`;
  const { rows, mean, weight } = await db.row(
    `SELECT sum(n)::DOUBLE AS rows, sum(s) / sum(n) AS mean, ` +
      // Within levels: sum of squares over (rows − levels). Between: the moment estimate of the one-way layout (Searle, Casella & McCulloch 1992, chapter 3).
      `CASE WHEN sum(n) > count(*) AND count(*) > 1 THEN (sum(q - s * s / n) / (sum(n) - count(*))) / greatest(1e-300, ` +
      `(sum(s * s / n) - sum(s) * sum(s) / sum(n) - (count(*) - 1) * (sum(q - s * s / n) / (sum(n) - count(*)))) / (sum(n) - sum(n * n) / sum(n))) END AS weight ` +
      `FROM (SELECT sum("its label") AS s, sum("its label" * "its label") AS q, count(*)::DOUBLE AS n ${of} GROUP BY ${column})`,
  );
  const prior = Number(rows === null ? 0 : mean);
  const drawn = weight === null ? 1 : Math.min(mostWeight, Math.max(0, Number(weight)));
  const levels = await db.rows(
    `SELECT ${column} AS level, (sum("its label") + ${drawn}::DOUBLE * ${prior}::DOUBLE) / (count(*) + ${drawn}::DOUBLE) AS mean ${of} ` +
      `GROUP BY ${column} ORDER BY count(*) DESC, ${column}`,
  );
  return {
    by: 'mean',
    levels: levels.map(({ level }) => String(level)),
    means: levels.map((row) => Number(row['mean'])),
    prior,
    weight: drawn,
  };
}

async function distribution(db: Duckdb, from: string, encoder: SqlEncoder): Promise<Pick<Feature, 'median' | 'mean' | 'deviation' | 'missing'>> {
  const { value, join } = await encoderSql(db, from, from, encoder);
  const there = `FILTER (NOT isnan(value))`;
  const row = await db.row(
    `SELECT quantile_cont(value::DOUBLE, 0.5) ${there} AS median, avg(value::DOUBLE) ${there} AS mean, stddev_pop(value::DOUBLE) ${there} AS deviation, ` +
      `coalesce(avg(CAST(isnan(value) AS DOUBLE)), 0) AS missing FROM (SELECT ${value} AS value FROM known r ${join})`,
  );
  const number = (name: string): number => Number(row[name] ?? 0);
  return { median: number('median'), mean: number('mean'), deviation: number('deviation'), missing: number('missing') };
}
