import type { Encoder, TimePart } from '../../core/encoding.ts';
import { quoted } from '../../core/sql.ts';
import type { Duckdb } from '../duckdb.ts';

const partSql: Readonly<Record<TimePart, (time: string) => string>> = {
  hour: (time) => `hour(${time})`,
  'day-of-week': (time) => `isodow(${time}) - 1`,
  weekend: (time) => `CAST(isodow(${time}) >= 6 AS INTEGER)`,
  day: (time) => `day(${time})`,
  month: (time) => `month(${time})`,
};

const missing = `'nan'::FLOAT`;

/** An encoder of single values; terms are found in whole texts, by TypeScript. */
export type SqlEncoder = Exclude<Encoder, { readonly by: 'term' }>;

/** An encoder in SQL: a FLOAT over the relation `r`, and what it is joined with. */
export interface EncoderSql {
  readonly value: string;
  readonly join: string;
}

/** Makes ready what an encoder of `from` needs, in tables that are named after `name`. The same numbers as the graph makes of the same raw value. */
export async function encoderSql(db: Duckdb, name: string, from: string, encoder: SqlEncoder): Promise<EncoderSql> {
  const raw = `r.${quoted(from)}`;
  switch (encoder.by) {
    case 'value':
      return { value: `coalesce(CAST(${raw} AS FLOAT), ${missing})`, join: '' };
    case 'part':
      return { value: `coalesce(CAST(${partSql[encoder.part](raw)} AS FLOAT), ${missing})`, join: '' };
    case 'code': {
      const codes = encoder.levels.map((_, at) => at + 1);
      const { value, join } = await lookUp(db, name, raw, encoder.levels, codes);
      return { value: `CASE WHEN nullif(${raw}, '') IS NULL THEN ${missing} ELSE coalesce(${value}, 0::FLOAT) END`, join };
    }
    case 'mean': {
      const { value, join } = await lookUp(db, name, raw, encoder.levels, encoder.means);
      return { value: `coalesce(${value}, CAST(${encoder.prior}::DOUBLE AS FLOAT))`, join };
    }
  }
}

/** A hash join: a search in a list would read half of it for each row. Numbers go there as they are: one in SQL is a DECIMAL first, perhaps another. */
async function lookUp(db: Duckdb, name: string, raw: string, levels: readonly string[], values: readonly number[]): Promise<EncoderSql> {
  const table = quoted(`levels of ${name}`);
  await db.run(`CREATE OR REPLACE TEMP TABLE ${table} (level VARCHAR, value FLOAT)`);
  await db.append(`levels of ${name}`, [levels, Float32Array.from(values)]);
  return { value: `${table}.value`, join: `LEFT JOIN ${table} ON ${table}.level = ${raw}` };
}
