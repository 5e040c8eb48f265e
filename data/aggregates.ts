import { aggregateGroups } from '../core/aggregates.ts';
import type { Aggregate, AggregateGroup } from '../core/aggregates.ts';
import { MlError } from '../core/errors.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { quoted } from '../core/sql.ts';
import type { Duckdb } from './duckdb.ts';
import { naturalOrder, parquet, quotedList } from './parquet.ts';

/** A row's place in time is its millisecond times this, plus its place among the rows of that millisecond: fewer than half of it. */
const placesPerMs = 2n ** 40n;

/**
 * The features of each row of a source as one `SELECT`: the source's key, and a DOUBLE for each feature. What `AggregateGroup` says of windows becomes
 * frames over one whole number, which sort and compare faster than times with intervals.
 */
export function aggregatesSql(source: string, key: readonly string[], groups: readonly AggregateGroup[]): string {
  const from = quoted(source);
  const ties = groups.filter(({ delayMs }) => delayMs === 0);
  const places = groups.map((group) => `${placeInTime(group)} AS ${quoted(`order of ${group.name}`)}`);
  const joins = ties.map(({ name }) => `LEFT JOIN ${quoted(`ties of ${name}`)} USING (${quotedList(key)})`);
  const features = groups.flatMap((group) =>
    group.features.map(({ name, overMs, make }) => {
      const value = `${aggregateSql(make)} OVER ${quoted(windowName(group, overMs))}`;
      return `CASE WHEN ${quoted(`order of ${group.name}`)} IS NULL THEN 0 ELSE coalesce(${value}, 0)::DOUBLE END AS ${quoted(name)}`;
    }),
  );
  const windows = groups.flatMap((group) => {
    const partition = `PARTITION BY ${quoted(group.by)} ORDER BY ${quoted(`order of ${group.name}`)}`;
    const spans = [...new Set(group.features.map(({ overMs }) => overMs))];
    return spans.map((overMs) => `${quoted(windowName(group, overMs))} AS (${partition} ${frame(group, overMs)})`);
  });
  return (
    `${ties.length === 0 ? '' : `WITH ${ties.map((group) => tiesSql(from, key, group)).join(', ')} `}SELECT ${[quotedList(key), ...features].join(', ')} ` +
    `FROM (SELECT *, ${places.join(', ')} FROM ${from} ${joins.join(' ')}) WINDOW ${windows.join(', ')}`
  );
}

const windowName = ({ name }: AggregateGroup, overMs: number): string => `${name} over ${overMs}`;

/** Rows of one time are told apart only where a row sees its own time; NULL where a row has no time or belongs to nobody. */
function placeInTime({ name, by, time, delayMs }: AggregateGroup): string {
  const ms = `epoch_ms(${quoted(time)})`;
  const place = delayMs > 0 ? ms : `${ms}::HUGEINT * ${placesPerMs} + coalesce(${quoted(`place in ${name}`)}, 0)`;
  return `CASE WHEN ${quoted(by)} IS NOT NULL THEN ${place} END`;
}

/** The few rows that share their key and millisecond with others, and their places among them. To rank all rows would be a sort more. */
function tiesSql(from: string, key: readonly string[], { name, by, time }: AggregateGroup): string {
  const same = `${quoted(by)}, epoch_ms(${quoted(time)})`;
  const order = [quoted(time), ...key.map((column) => naturalOrder(column))].join(', ');
  return (
    `${quoted(`ties of ${name}`)} AS (SELECT ${quotedList(key)}, row_number() OVER (PARTITION BY ${same} ORDER BY ${order}) - 1 AS ${quoted(`place in ${name}`)} ` +
    `FROM ${from} WHERE (${same}) IN (SELECT (${same}) FROM ${from} GROUP BY ${same} HAVING count(*) > 1))`
  );
}

/** Half a millisecond beyond the last one that is in, so that no place among the rows of one millisecond matters. */
function frame({ delayMs }: AggregateGroup, overMs: number): string {
  if (delayMs > 0) return `RANGE BETWEEN ${delayMs + overMs - 1} PRECEDING AND ${delayMs} PRECEDING`;
  return `RANGE BETWEEN ${(BigInt(overMs) * 2n - 1n) * (placesPerMs / 2n)} PRECEDING AND CURRENT ROW`;
}

function aggregateSql(make: Aggregate): string {
  return make.of === 'count' ? 'count(*)' : `${make.of === 'sum' ? 'sum' : 'avg'}(CAST(${quoted(make.column)} AS DOUBLE))`;
}

type AggregateSpec = Pick<ModelSpec, 'sources' | 'aggregates'>;

/** `rows.sql`, and the features of the source row that each of its rows is of. */
export function withAggregates(spec: AggregateSpec, select: string): string {
  const sources = groupsBySource(spec);
  if (sources.size === 0) return select;
  const names = [...sources.values()].flat().flatMap(({ features }) => features.map(({ name }) => name));
  const joins = [...sources].map(([source, groups]) => {
    const { key } = spec.sources[source]!;
    return `LEFT JOIN (${aggregatesSql(source, key, groups)}) ${quoted(`features of ${source}`)} USING (${quotedList(key)})`;
  });
  return `SELECT r.*, ${quotedList(names)} FROM (${select}\n) r ${joins.join(' ')}`;
}

function groupsBySource(spec: AggregateSpec): Map<string, AggregateGroup[]> {
  const sources = new Map<string, AggregateGroup[]>();
  for (const group of aggregateGroups(spec)) sources.set(group.source, [...(sources.get(group.source) ?? []), group]);
  return sources;
}

/**
 * Checks that rows can be told their features: `columns` are what `rows.sql` gives.
 *
 * @throws {MlError} `RowsInvalid`
 */
export function checkAggregateColumns(spec: AggregateSpec, columns: readonly string[]): void {
  for (const [source, groups] of groupsBySource(spec)) {
    const lost = spec.sources[source]!.key.find((column) => !columns.includes(column));
    if (lost !== undefined) {
      throw new MlError(
        'RowsInvalid',
        `rows.sql gives no column "${lost}", by which aggregates of "${source}" find each row's features; it gives ${columns.join(', ')}`,
        { column: lost },
      );
    }
    const taken = groups.flatMap(({ features }) => features).find(({ name }) => columns.includes(name));
    if (taken) throw new MlError('RowsInvalid', `rows.sql gives "${taken.name}", which aggregates make: name it otherwise`, { column: taken.name });
  }
}

/** @throws {MlError} `RowsInvalid` if a row is of no source row, so that nothing is known of it. */
export async function checkAggregated(db: Duckdb, spec: AggregateSpec, path: string): Promise<void> {
  for (const [source, [group]] of groupsBySource(spec)) {
    const { lost } = await db.row(`SELECT count(*) FILTER (${quoted(group!.features[0]!.name)} IS NULL)::DOUBLE AS lost FROM ${parquet(path)}`);
    if (Number(lost) === 0) continue;
    throw new MlError(
      'RowsInvalid',
      `${String(lost)} rows have a key (${spec.sources[source]!.key.join(', ')}) that no row of "${source}" has, so they have no features: rows.sql must leave the key as it is`,
      { source, lost: Number(lost) },
    );
  }
}
