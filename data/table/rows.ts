import { MlError } from '../../core/errors.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { nearest } from '../../core/nearest.ts';
import { literal, quoted } from '../../core/sql.ts';
import type { Part } from '../../core/table.ts';
import type { TableKind } from '../../core/tasks/table-exam.ts';
import type { Request } from '../../core/task.ts';
import { kindTypes } from '../column-kinds.ts';
import type { Duckdb } from '../duckdb.ts';
import type { RowFiles } from '../loaders/loader.ts';
import { describe, parquet, quotedList } from '../parquet.ts';

/** What of a spec says how rows of a table are encoded. */
export interface TableSpec {
  /** What the model takes: what a caller sends, and the features of aggregates. */
  readonly request: Request;
  readonly encode?: ModelSpec['encode'];
  readonly group?: string;
  readonly slices?: readonly string[];
}

/** The rows of some parts, as `SELECT`: all columns. */
export function rowsOf({ rows, split, key }: Pick<RowFiles, 'rows' | 'split' | 'key'>, parts: readonly Part[] | 'all'): string {
  if (parts === 'all') return `SELECT * FROM ${parquet(rows)}`;
  const among = parts.length === 0 ? 'false' : `part IN (${parts.map(literal).join(', ')})`;
  return `SELECT r.* FROM ${parquet(rows)} r SEMI JOIN (SELECT * FROM ${parquet(split)} WHERE ${among}) s USING (${quotedList(key)})`;
}

/**
 * Checks that rows have the columns that a spec names, in the types of their kinds, and every flag.
 *
 * @throws {MlError} `RowsInvalid`
 */
export async function checkColumns(
  db: Duckdb,
  { rows }: Pick<RowFiles, 'rows'>,
  { request, group, slices = [] }: TableSpec,
  label: string,
): Promise<void> {
  const types = new Map((await describe(db, parquet(rows))).map(({ name, type }) => [name, type]));
  const place = (field: string, column: string): void => {
    if (types.has(column)) return;
    const hint = nearest(column, [...types.keys()]);
    throw new MlError(
      'RowsInvalid',
      `${field} names "${column}"${hint === undefined ? '' : ` (did you mean "${hint}"?)`}, which rows.sql does not give; it gives ${[...types.keys()].join(', ')}`,
      { column },
    );
  };
  place('target.column', label);
  if (group !== undefined) place('rows.group', group);
  for (const column of slices) place('slices', column);
  for (const [column, kind] of Object.entries(request)) {
    place('request', column);
    const type = types.get(column)!;
    if (type !== kindTypes[kind]) {
      throw new MlError(
        'RowsInvalid',
        `request declares "${column}" as ${kind} (${kindTypes[kind]}), but rows.sql gives it as ${type}: cast it in rows.sql, or declare what it is`,
        { column, kind, type },
      );
    }
    if (kind === 'flag') await checkFlag(db, rows, column);
    if (kind === 'number') await checkNumber(db, rows, column);
  }
}

/** Features are float32; what is beyond is an infinity there, of which there is no mean. */
const largest = '3.4028234663852886e38';

async function checkNumber(db: Duckdb, rows: string, column: string): Promise<void> {
  const { beyond } = await db.row(
    `SELECT count(*) FILTER (NOT isnan(${quoted(column)}) AND abs(${quoted(column)}) > ${largest})::DOUBLE AS beyond FROM ${parquet(rows)}`,
  );
  if (Number(beyond) === 0) return;
  throw new MlError(
    'RowsInvalid',
    `${String(beyond)} rows have a "${column}" that is infinite or beyond 3.4e38, perhaps since something is divided by 0: write nullif(divisor, 0) in rows.sql`,
    { column, beyond },
  );
}

/** No caller can send a missing flag, so that no trainer may learn from one. */
async function checkFlag(db: Duckdb, rows: string, column: string): Promise<void> {
  const { missing } = await db.row(`SELECT count(*) FILTER (${quoted(column)} IS NULL)::DOUBLE AS missing FROM ${parquet(rows)}`);
  if (Number(missing) === 0) return;
  throw new MlError(
    'RowsInvalid',
    `${String(missing)} rows have no "${column}", but a flag is always sent: write coalesce(${column}, false) in rows.sql, or cast it to text there and declare a category`,
    { column, missing },
  );
}

/**
 * The SQL of a label, a DOUBLE, and what it means.
 *
 * @throws {MlError} `RowsInvalid` where a label is missing, or there are not as many classes as the kind needs.
 */
export async function labelOf(
  db: Duckdb,
  kind: TableKind,
  files: Pick<RowFiles, 'rows' | 'split' | 'key' | 'parts'>,
  target: { readonly column: string; readonly positive?: string },
): Promise<{ readonly classes?: readonly string[] }> {
  const { rows } = files;
  const column = quoted(target.column);
  const { nulls, rows: all } = await db.row(
    `SELECT count(*) FILTER (${column} IS NULL)::DOUBLE AS nulls, count(*)::DOUBLE AS rows FROM ${parquet(rows)}`,
  );
  if (Number(nulls) > 0) {
    throw new MlError('RowsInvalid', `${String(nulls)} of ${String(all)} rows have no ${target.column} to learn: leave them out in rows.sql`, {
      column: target.column,
    });
  }
  await checkLabelVaries(db, files, target.column);
  if (kind === 'regression') {
    const { odd } = await db.row(`SELECT count(*) FILTER (NOT isfinite(CAST(${column} AS DOUBLE)))::DOUBLE AS odd FROM ${parquet(rows)}`);
    if (Number(odd) === 0) return {};
    throw new MlError(
      'RowsInvalid',
      `${String(odd)} of ${String(all)} rows have a ${target.column} that is NaN or infinite: leave them out in rows.sql`,
      {
        column: target.column,
      },
    );
  }
  const found = await db.rows(`SELECT DISTINCT CAST(${column} AS VARCHAR) AS class FROM ${parquet(rows)} ORDER BY class LIMIT ${mostClasses + 1}`);
  const names = found.map((row) => String(row['class']));
  const wrong = (what: string): MlError =>
    new MlError(
      'RowsInvalid',
      `${target.column} has ${names.length > mostClasses ? `more than ${mostClasses}` : names.length} values (${names.slice(0, 5).join(', ')}): ${what}`,
      {
        column: target.column,
        values: names.slice(0, 20),
      },
    );
  if (kind === 'multiclass') {
    if (names.length < 3 || names.length > mostClasses) throw wrong(`classes are 3 to ${mostClasses}; for two, use the task binary`);
    return { classes: names };
  }
  if (names.length !== 2) throw wrong('a binary model tells two apart; choose rows that have both, or the task multiclass');
  const { positive = names[1]! } = target;
  if (!names.includes(positive)) throw wrong(`target.positive is "${positive}", which is none of them`);
  return { classes: [names.find((name) => name !== positive)!, positive] };
}

/** From rows that all have one label any model learns to say that, and no metric tells it from a good one. */
async function checkLabelVaries(db: Duckdb, files: Pick<RowFiles, 'rows' | 'split' | 'key' | 'parts'>, label: string): Promise<void> {
  const column = `CAST(${quoted(label)} AS VARCHAR)`;
  const { low, high, n } = await db.row(
    `SELECT min(${column}) AS low, max(${column}) AS high, count(*)::DOUBLE AS n FROM (${rowsOf(files, files.parts)})`,
  );
  if (low !== high || low === null) return;
  const which = files.parts === 'all' ? 'rows' : `${files.parts.join(' and ')} rows`;
  throw new MlError(
    'RowsInvalid',
    `all ${String(n)} ${which} have the same ${label} (${String(low)}): there is nothing to learn. Take another target.column, or look at what rows.sql and the window leave of it`,
    { column: label, value: low, rows: n },
  );
}

/** More than so many classes are no classes. */
const mostClasses = 1000;

/** A label over the relation `r`: a number, or the position of a class. -1 for a class that the encoding does not know. */
export function labelSql(column: string, classes: readonly string[] | undefined): string {
  const label = `r.${quoted(column)}`;
  if (classes === undefined) return `CAST(${label} AS DOUBLE)`;
  return `CAST(coalesce(list_position([${classes.map(literal).join(', ')}], CAST(${label} AS VARCHAR)), 0) - 1 AS DOUBLE)`;
}
