import { MlError } from '../core/errors.ts';
import type { ColumnKind, ModelSpec } from '../core/model-spec.ts';
import type { Window } from '../core/manifest.ts';
import { instantMs, resolveWindow } from '../core/window.ts';
import { allRows, segmentPredicate } from '../core/segment.ts';
import { quoted } from '../core/sql.ts';
import { checkAggregateColumns, checkAggregated, withAggregates } from './aggregates.ts';
import { kindTypes, namedColumns } from './column-kinds.ts';
import { withDuckdb, withOwnDuckdb, type DataContext, type Duckdb } from './duckdb.ts';
import { describe, parquet, quotedList, writeParquet } from './parquet.ts';
import { checkSelect, viewSources } from './select.ts';

/** What rows are made from: the spec's part in it, and each source's snapshot. */
export interface RowsInput {
  readonly spec: Pick<ModelSpec, 'sources' | 'aggregates' | 'rows' | 'window' | 'segments'>;
  /** Source name → path of its snapshot. */
  readonly snapshots: Readonly<Record<string, string>>;
  /** Instead of the spec's window (a backfill). */
  readonly window?: Window;
  /** A label such as `month=10`; default `all`. */
  readonly segment?: string;
}

export interface RowsFacts {
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The window that the rows are from, as instants. Without a window in the spec: from the first row to just after the last. */
  readonly window: Window;
}

/** Without a time there is no window; this one says "always". */
export const always: Window = { from: '1970-01-01T00:00:00.000Z', to: '9999-12-31T00:00:00.000Z' };

/**
 * Runs the spec's one `SELECT` over the snapshots, adds the features of its aggregates, keeps the rows of the window and the segment, and writes them to
 * `out` as Parquet, ordered by key: equal inputs give equal bytes. Features are of all rows of their source: what the `SELECT` leaves out happened too.
 *
 * @throws {MlError} `SqlRefused`, `SqlFailed`, `SqlTimeout`; `RowsInvalid` if the key is missing or not unique, a column has another type than
 * declared, or there are no rows.
 */
export async function buildRows(input: RowsInput & { readonly out: string }, context: DataContext): Promise<RowsFacts> {
  const { out } = input;
  return withDuckdb({ read: Object.values(input.snapshots), write: [out] }, inOrder(context), async (db) => {
    await viewSources(db, input.snapshots);
    const select = await checkedRows(db, input.spec);
    await checkTypes(db, select, input.spec);
    const window = await windowOf(db, select, input);
    const { key, time } = input.spec.rows;
    const kept = `SELECT * FROM (${withAggregates(input.spec, select)}\n) WHERE ${rowsPredicate(input.spec, window, input.segment)}`;
    const { bytes } = await writeParquet(db, kept, quotedList(key), out);
    const rows = await checkKey(db, out, key);
    await checkAggregated(db, input.spec, out);
    if (rows === 0) {
      throw new MlError(
        'RowsInvalid',
        `there are no rows in segment "${input.segment ?? allRows}"${time === undefined ? '' : ` between ${window.from} and ${window.to}`}: widen the window, or repair rows.sql`,
        { segment: input.segment ?? allRows, window },
      );
    }
    return { rows, bytes, columns: await describe(db, parquet(out)), window };
  });
}

/** For the user's SQL: on several threads a sum of floating-point numbers is another one each time, and rows must be the same bytes each time. */
export const inOrder = (context: DataContext): DataContext => ({ ...context, limits: { ...context.limits, threads: 1 } });

/** `rows.sql`, checked. */
export async function checkedRows(db: Duckdb, spec: Pick<ModelSpec, 'sources' | 'rows'>): Promise<string> {
  return checkSelect(db, spec.rows.sql, Object.keys(spec.sources), 'rows.sql');
}

/** The condition of a window and a segment on rows. */
export function rowsPredicate(spec: Pick<ModelSpec, 'rows' | 'segments'>, window: Window, segment: string = allRows): string {
  const { time } = spec.rows;
  const within =
    time === undefined ? 'true' : `${quoted(time)} >= ${timestamp(instantMs(window.from))} AND ${quoted(time)} < ${timestamp(instantMs(window.to))}`;
  return `${within} AND ${segmentPredicate(spec.segments?.by, segment)}`;
}

/** An instant in SQL. */
export const timestamp = (ms: number): string => `make_timestamp(${Math.round(ms * 1000)})`;

/** The data's own window, before any filter: what `last` counts back from. `to` is a millisecond after the newest row. */
async function windowOf(db: Duckdb, select: string, input: RowsInput): Promise<Window> {
  const { time } = input.spec.rows;
  if (time === undefined) return always;
  return resolveWindow(input.window ?? input.spec.window, await timeWindow(db, `(${select}\n)`, time));
}

async function timeWindow(db: Duckdb, relation: string, time: string): Promise<Window> {
  const row = await db.row(
    `SELECT epoch_ms(min(${quoted(time)}))::DOUBLE AS a, epoch_ms(max(${quoted(time)}))::DOUBLE AS z, count(*) FILTER (${quoted(time)} IS NULL)::INTEGER AS nulls FROM ${relation}`,
  );
  if (Number(row['nulls']) > 0) {
    throw new MlError('RowsInvalid', `${String(row['nulls'])} rows have no ${time}, so no window holds them: leave them out in rows.sql`, { time });
  }
  if (row['a'] === null) return always;
  return { from: new Date(Number(row['a'])).toISOString(), to: new Date(Number(row['z']) + 1).toISOString() };
}

/** A column of rows that has a source column's name must have its type. */
async function checkTypes(db: Duckdb, select: string, spec: RowsInput['spec']): Promise<void> {
  const { sources, rows } = spec;
  const columns = await describe(db, `(${select}\n)`);
  const names = columns.map(({ name }) => name);
  for (const name of [...rows.key, ...(rows.time === undefined ? [] : [rows.time])]) {
    if (!names.includes(name)) throw new MlError('RowsInvalid', `rows.sql gives no column "${name}"; it gives ${names.join(', ')}`, { column: name });
  }
  if (new Set(names).size < names.length) throw new MlError('RowsInvalid', `rows.sql gives two columns of one name: ${names.join(', ')}`, { names });
  checkAggregateColumns(spec, names);
  const declared = new Map<string, Set<ColumnKind>>();
  for (const source of Object.values(sources)) {
    for (const { name, kind } of namedColumns(source)) declared.set(name, (declared.get(name) ?? new Set()).add(kind));
  }
  for (const { name, type } of columns) {
    const kinds = [...(declared.get(name) ?? [])];
    if (kinds.length === 0 || kinds.some((kind) => kindTypes[kind] === type)) continue;
    throw new MlError(
      'RowsInvalid',
      `rows.sql gives "${name}" as ${type}, but the spec declares it as ${kinds.join(' or ')} (${kinds.map((kind) => kindTypes[kind]).join(' or ')}): cast it, or name it otherwise`,
      { column: name, type, kinds },
    );
  }
  const time = columns.find(({ name }) => name === rows.time);
  if (time && time.type !== kindTypes.time) {
    throw new MlError('RowsInvalid', `rows.time is "${time.name}", which rows.sql gives as ${time.type}: cast it to ${kindTypes.time}`, {
      column: time.name,
    });
  }
}

async function checkKey(db: Duckdb, path: string, key: readonly string[]): Promise<number> {
  const anyNull = key.map((column) => `${quoted(column)} IS NULL`).join(' OR ');
  const row = await db.row(
    `SELECT count(*)::DOUBLE AS rows, count(*) FILTER (${anyNull})::DOUBLE AS nulls, (SELECT count(*)::DOUBLE FROM (SELECT DISTINCT ${quotedList(key)} FROM ${parquet(path)})) AS keys FROM ${parquet(path)}`,
  );
  const [rows, nulls, keys] = [Number(row['rows']), Number(row['nulls']), Number(row['keys'])];
  if (nulls > 0) throw new MlError('RowsInvalid', `${nulls} of ${rows} rows have no ${key.join(' or ')}: a key is never missing`, { nulls });
  if (keys < rows) {
    throw new MlError(
      'RowsInvalid',
      `rows.key (${key.join(', ')}) is not unique: ${rows} rows have ${keys} keys. Add a column to the key, or keep one row a key in rows.sql`,
      { rows, keys },
    );
  }
  return rows;
}

/** From the first row to a millisecond after the last. */
export async function dataWindow(rows: string, time: string, context: DataContext): Promise<Window> {
  return withOwnDuckdb(context, (db) => timeWindow(db, parquet(rows), time));
}
