import type { ColumnKind, SourceColumn, SourceSpec } from '../core/model-spec.ts';
import { literal, quoted } from '../core/sql.ts';

/**
 * The DuckDB type of each column kind. Types never depend on the data: a key is text even where every value is a number, so that the first key
 * with a letter changes nothing. `naturalOrder` sorts such keys by value.
 */
export const kindTypes = {
  key: 'VARCHAR',
  number: 'DOUBLE',
  integer: 'BIGINT',
  time: 'TIMESTAMP',
  category: 'VARCHAR',
  text: 'VARCHAR',
  flag: 'BOOLEAN',
  image: 'VARCHAR',
} as const satisfies Record<ColumnKind, string>;

/** A column of a spec with everything written out. */
export interface NamedColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Its name in the source. */
  readonly named: string;
  readonly unit?: 's' | 'ms';
  readonly format?: string;
  readonly pseudonym?: true;
}

export const namedColumns = (source: Pick<SourceSpec, 'columns'>): readonly NamedColumn[] =>
  Object.entries(source.columns).map(([name, column]) => {
    const full: SourceColumn = typeof column === 'string' ? { kind: column } : column;
    return { ...full, name, named: full.named ?? name };
  });

/** DuckDB's calendar ends here, 290 thousand years from 1970. */
const mostMicros = '9.2e18';

/** A value that stands for "missing" in text sources besides the empty one. */
const missing = `'', 'NaN', 'nan', 'NULL', 'null', 'NA', 'N/A'`;

/**
 * The SQL expression that casts a raw column to its kind: NULL where that is impossible. `text` says that the raw column is text (CSV, JSON);
 * then `NaN`, `NULL` and `NA` in a number, time or flag are missing, not bad.
 */
export function castExpression(column: NamedColumn, text: boolean): string {
  const raw = quoted(column.named);
  const type = kindTypes[column.kind];
  if (type === 'VARCHAR') return text ? raw : `CAST(${raw} AS VARCHAR)`;
  const value = text ? `nullif(trim(${raw}), '')` : raw;
  if (column.kind === 'time' && column.unit) {
    const factor = column.unit === 's' ? 1_000_000 : 1000;
    const micros = `TRY_CAST(${value} AS DOUBLE) * ${factor}`;
    // Neither NaN nor what lies outside of the calendar is a time. (NaN is larger than every number.)
    return `make_timestamp(CASE WHEN abs(${micros}) < ${mostMicros} THEN CAST(round(${micros}) AS BIGINT) END)`;
  }
  if (column.kind === 'time' && column.format !== undefined) return `try_strptime(CAST(${value} AS VARCHAR), ${literal(column.format)})`;
  // With a zone it is converted to UTC, without one it is taken as UTC (the session's zone).
  if (column.kind === 'time') {
    const time = `TRY_CAST(${value} AS TIMESTAMPTZ)`;
    return `CASE WHEN isfinite(${time}) THEN CAST(${time} AS TIMESTAMP) END`;
  }
  // TRY_CAST to an integer rounds 1.5 to 2.
  if (column.kind === 'integer') return `CASE WHEN TRY_CAST(${value} AS DOUBLE) = TRY_CAST(${value} AS BIGINT) THEN TRY_CAST(${value} AS BIGINT) END`;
  // Infinity and NaN are no numbers to learn from.
  if (column.kind === 'number') return `CASE WHEN isfinite(TRY_CAST(${value} AS DOUBLE)) THEN TRY_CAST(${value} AS DOUBLE) END`;
  return `TRY_CAST(${value} AS ${type})`;
}

/** The SQL condition that a raw value is there but is not of its kind. */
export function isBad(column: NamedColumn, text: boolean): string {
  if (kindTypes[column.kind] === 'VARCHAR') return 'false';
  const raw = quoted(column.named);
  const present = text
    ? `trim(${raw}) NOT IN (${missing})`
    : column.kind === 'number' || column.unit
      ? `NOT coalesce(isnan(TRY_CAST(${raw} AS DOUBLE)), false)`
      : 'true';
  return `(${raw} IS NOT NULL AND (${present}) AND ${castExpression(column, text)} IS NULL)`;
}
