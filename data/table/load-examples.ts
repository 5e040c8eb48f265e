import { MlError } from '../../core/errors.ts';
import { type Encoder, type InputKind, missingInteger, type TableEncoding } from '../../core/encoding.ts';
import type { AskedRows, Examples, RawColumn } from '../../core/examples.ts';
import { quoted } from '../../core/sql.ts';
import type { Part } from '../../core/table.ts';
import { type DataContext, type Duckdb, withOwnDuckdb } from '../duckdb.ts';
import type { RowFiles } from '../loaders/loader.ts';
import { naturalOrder } from '../parquet.ts';
import { inOrder } from '../rows.ts';
import { type EncoderSql, encoderSql } from './encoders.ts';
import type { TableTarget } from './fit-encoding.ts';
import { labelSql, rowsOf, type TableSpec } from './rows.ts';
import { encodeTerms, textSql } from './terms.ts';

/**
 * Loads rows as columns of features. A mean label of a row that the encoding was fitted on is made without the row's own fifth of the rows (of the groups, where
 * rows have any), or trainers would find the label in it; of held-out rows it is the one that the graph gives.
 */
export async function loadExamples(
  files: RowFiles,
  table: TableSpec,
  encoding: TableEncoding,
  heldOut: Part | null,
  context: DataContext,
): Promise<{ readonly known: Examples; readonly heldOut?: Examples }> {
  return withOwnDuckdb(inOrder(context), async (db) => {
    await select(db, files, table, encoding, files.parts);
    const known = await readExamples(db, files, encoding, true);
    if (heldOut === null) return { known };
    await select(db, files, table, encoding, [heldOut]);
    const examples = await readExamples(db, files, encoding, false);
    return { known, heldOut: { ...examples, asked: await readAsked(db, files, table, encoding) } };
  });
}

/** The rows of some parts as the table `r`, with their place in time. */
async function select(db: Duckdb, files: RowFiles, { group }: TableSpec, { classes }: TableEncoding, parts: readonly Part[] | 'all'): Promise<void> {
  const { key, time } = files;
  const text = (column: string): string => `CAST(r.${quoted(column)} AS VARCHAR)`;
  const own = key.map(text).join(` || '/' || `);
  // Rows of one group (a patient) would tell each other their label.
  const together = group === undefined ? own : `coalesce(${text(group)}, ${own})`;
  const order = [...(time === null ? [] : [quoted(time)]), ...key.map((column) => naturalOrder(column))].join(', ');
  await db.run(
    `CREATE OR REPLACE TEMP TABLE chosen AS SELECT *, row_number() OVER (ORDER BY ${order}) AS "its place", ` +
      `${labelSql((files.target as TableTarget).column, classes)} AS "its label", ` +
      `CAST(('0x' || substr(sha256(${together}), 1, 8)) AS BIGINT) % 5 AS "its fold" ` +
      `FROM (${rowsOf(files, parts)}) r`,
  );
}

async function readExamples(db: Duckdb, files: RowFiles, encoding: TableEncoding, fitted: boolean): Promise<Examples> {
  const { rows } = await db.row('SELECT count(*)::INTEGER AS rows FROM chosen');
  const labels = new Float64Array(Number(rows));
  const timesMs = new Float64Array(Number(rows));
  const sql: EncoderSql[] = [];
  const made: Float32Array[] = [];
  const terms = await readTerms(db, encoding);
  const features: Float32Array[] = [];
  for (const { name, from, encoder } of encoding.features) {
    if (encoder.by === 'term') features.push(terms[from]!.shift()!);
    else {
      sql.push(await (fitted && encoder.by === 'mean' ? outOfFold(db, name, from, encoder) : encoderSql(db, name, from, encoder)));
      const values = new Float32Array(Number(rows));
      made.push(values);
      features.push(values);
    }
  }
  const time = files.time === null ? '0::DOUBLE' : `epoch_ms(r.${quoted(files.time)})::DOUBLE`;
  const columns = [...sql.map(({ value }) => value), `r."its label"`, time];
  let at = 0;
  for await (const chunk of db.chunks(`SELECT ${columns.join(', ')} FROM chosen r ${sql.map(({ join }) => join).join(' ')} ORDER BY r."its place"`)) {
    for (const [column, into] of [...made, labels, timesMs].entries()) {
      const vector = chunk.getColumnVector(column);
      for (let i = 0; i < chunk.rowCount; i++) into[at + i] = vector.getItem(i) as number;
    }
    at += chunk.rowCount;
  }
  const { classes } = encoding;
  if (classes !== undefined && labels.includes(-1)) {
    if (fitted || classes.length === 2) {
      throw new MlError('RowsInvalid', `there are labels besides ${classes.join(', ')}, which the encoding does not know: fit it again`);
    }
    for (let row = 0; row < labels.length; row++) if (labels[row] === -1) labels[row] = classes.length;
  }
  return { encoding, features, labels, timesMs };
}

/** The columns of the terms of each input that has any. */
async function readTerms(db: Duckdb, { vocabularies = {} }: TableEncoding): Promise<Record<string, Float32Array[]>> {
  const columns: Record<string, Float32Array[]> = {};
  for (const [from, vocabulary] of Object.entries(vocabularies)) columns[from] = encodeTerms(vocabulary, await column(db, textSql(from), String));
  return columns;
}

/** The mean label of a level over the other four fifths of the rows, drawn towards the mean of all as the encoder's is. */
async function outOfFold(db: Duckdb, name: string, from: string, encoder: Extract<Encoder, { readonly by: 'mean' }>): Promise<EncoderSql> {
  const { join } = await encoderSql(db, name, from, encoder);
  const [known, folds] = [quoted(`levels of ${name}`), quoted(`folds of ${name}`)];
  const column = quoted(from);
  const [prior, weight] = [`${encoder.prior}::DOUBLE`, `${encoder.weight}::DOUBLE`];
  await db.run(
    `CREATE OR REPLACE TEMP TABLE ${folds} AS SELECT *, CAST((sum(s) OVER level - s + ${weight} * ${prior}) / nullif(sum(n) OVER level - n + ${weight}, 0) AS FLOAT) AS value ` +
      `FROM (SELECT ${column} AS level, "its fold" AS fold, sum("its label") AS s, count(*) AS n FROM chosen GROUP BY ALL) WINDOW level AS (PARTITION BY level)`,
  );
  return {
    value: `CASE WHEN ${known}.level IS NULL THEN CAST(${prior} AS FLOAT) ELSE coalesce(${folds}.value, CAST(${prior} AS FLOAT)) END`,
    join: `${join} LEFT JOIN ${folds} ON ${folds}.level = r.${column} AND ${folds}.fold = r."its fold"`,
  };
}

async function readAsked(db: Duckdb, { key }: RowFiles, { group, slices = [] }: TableSpec, { inputs }: TableEncoding): Promise<AskedRows> {
  const text = (sql: string): Promise<readonly string[]> => column(db, `coalesce(CAST(${sql} AS VARCHAR), '')`, String);
  const raw: RawColumn[] = [];
  for (const { name, kind } of inputs) raw.push(await readRaw(db, name, kind));
  const members: Record<string, readonly boolean[]> = {};
  for (const slice of slices) Object.assign(members, slicesOf(slice, await text(`r.${quoted(slice)}`)));
  return {
    units: await text(key.map((part) => `CAST(r.${quoted(part)} AS VARCHAR)`).join(` || '/' || `)),
    raw,
    slices: members,
    ...(group !== undefined && { groups: await text(`r.${quoted(group)}`) }),
  };
}

async function readRaw(db: Duckdb, name: string, kind: InputKind): Promise<RawColumn> {
  const value = `r.${quoted(name)}`;
  switch (kind) {
    case 'number':
      return { kind, values: Float64Array.from(await column(db, `coalesce(${value}, 'nan'::DOUBLE)`, Number)) };
    case 'integer':
      return {
        kind,
        values: BigInt64Array.from(await column(db, `coalesce(${value}, CAST('${missingInteger}' AS BIGINT))`, (each) => each as bigint)),
      };
    case 'time':
      // `epoch_ms` alone rounds up before 1970, perhaps into the next day.
      return {
        kind,
        values: BigInt64Array.from(
          await column(db, `coalesce(epoch_ms(date_trunc('milliseconds', ${value})), CAST('${missingInteger}' AS BIGINT))`, (each) => each as bigint),
        ),
      };
    case 'flag':
      return { kind, values: Uint8Array.from(await column(db, `coalesce(${value}, false)`, Number)) };
    case 'category':
    case 'text':
      return { kind, values: await column(db, `coalesce(${value}, '')`, String) };
  }
}

/** One column of the chosen rows, in their order. */
async function column<T>(db: Duckdb, sql: string, as: (value: unknown) => T): Promise<T[]> {
  const values: T[] = [];
  for await (const chunk of db.chunks(`SELECT ${sql} FROM chosen r ORDER BY r."its place"`)) {
    const vector = chunk.getColumnVector(0);
    for (let i = 0; i < chunk.rowCount; i++) values.push(as(vector.getItem(i)));
  }
  return values;
}

/** The largest so many values of a column have slices. */
const mostSlices = 30;

function slicesOf(name: string, values: readonly string[]): Readonly<Record<string, readonly boolean[]>> {
  const sizes = new Map<string, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  const largest = [...sizes].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, mostSlices);
  return Object.fromEntries(largest.map(([wanted]) => [`${name}=${wanted === '' ? 'missing' : wanted}`, values.map((value) => value === wanted)]));
}
