import type { AggregateGroup } from '../aggregates.ts';
import { aggregateGroups } from '../aggregates.ts';
import type { ModelSpec } from '../model-spec.ts';
import { type KeyRow, KeyRows, type Taken } from './key-rows.ts';

/**
 * What is kept of a source so that its aggregates can be told at any moment: for each column that rows are found by, how long, and which columns are added up.
 * Two versions of a model that keep the same share it: windows may change within the longest.
 */
export interface KeptShape {
  readonly source: string;
  readonly tables: readonly {
    readonly by: string;
    /** The longest window and its delay. */
    readonly keepMs: number;
    readonly columns: readonly string[];
  }[];
}

/** A row of a source, as far as anything is kept of it. */
export interface KeptRow {
  readonly key: string;
  readonly timeMs: number;
  /** Its value of each table's `by`; `null` where it belongs to nobody. */
  readonly by: readonly (string | null)[];
  /** Its value in each table's columns, one table after the other; NaN where it has none yet. */
  readonly values: readonly number[];
}

/** Rows come late, and are asked about late, by up to a day: so much longer than their windows they are kept. */
export const lateMs = 86_400_000;

/** What is kept for the aggregates of a spec: one shape a source. */
export function keptShapes(spec: Pick<ModelSpec, 'aggregates' | 'sources'>): readonly KeptShape[] {
  const groups = aggregateGroups(spec);
  return [...new Set(groups.map(({ source }) => source))].toSorted().map((source) => {
    const ofSource = groups.filter((group) => group.source === source);
    const tables = [...new Set(ofSource.map(({ by }) => by))].toSorted().map((by) =>
      tableOf(
        by,
        ofSource.filter((group) => group.by === by),
      ),
    );
    return { source, tables };
  });
}

function tableOf(by: string, groups: readonly AggregateGroup[]): KeptShape['tables'][number] {
  const features = groups.flatMap((group) => group.features.map((feature) => ({ ...feature, delayMs: group.delayMs })));
  const columns = new Set(features.flatMap(({ make }) => ('column' in make ? [make.column] : [])));
  return { by, keepMs: Math.max(...features.map(({ overMs, delayMs }) => overMs + delayMs)), columns: [...columns].toSorted() };
}

/** What became of a row as a whole; `late`: no window that can be asked about holds it any more. */
export type Put = Taken | 'late';

/** The rows of a source that a window may still hold, by the keys of each table. */
export class KeptRows {
  readonly shape: KeptShape;
  readonly #tables: readonly { readonly keepMs: number; readonly first: number; readonly columns: number; readonly keys: Map<string, KeyRows> }[];
  #newestMs = -Infinity;
  #oldestMs = Infinity;

  constructor(shape: KeptShape) {
    this.shape = shape;
    let first = 0;
    this.#tables = shape.tables.map(({ keepMs, columns }) => {
      const table = { keepMs, first, columns: columns.length, keys: new Map<string, KeyRows>() };
      first += columns.length;
      return table;
    });
  }

  /** The time of the newest row; -Infinity before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** The time of the oldest row that was not late when it was put; Infinity before the first. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  /** How many keys have rows, over all tables, and how many those are. */
  counts(): { readonly keys: number; readonly rows: number } {
    let [keys, rows] = [0, 0];
    for (const table of this.#tables) {
      keys += table.keys.size;
      for (const { size } of table.keys.values()) rows += size;
    }
    return { keys, rows };
  }

  /** Takes rows, again and again if need be: one is told from others by its time, its key and whom it is of. The last value of a column counts. */
  put(rows: readonly KeptRow[]): readonly Put[] {
    const put: (Put | undefined)[] = rows.map(() => undefined);
    const newestMs = rows.reduce((newest, { timeMs }) => Math.max(newest, timeMs), this.#newestMs);
    this.#tables.forEach(({ keepMs, first, columns, keys }, table) => {
      const ofKeys = new Map<string, number[]>();
      rows.forEach(({ timeMs, by }, number) => {
        const key = by[table]!;
        if (key !== null && timeMs > this.#newestMs - keepMs - lateMs) entry(ofKeys, key, () => []).push(number);
      });
      for (const [key, numbers] of ofKeys) {
        const ofKey = entry(keys, key, () => new KeyRows(columns));
        ofKey.forget(this.#newestMs - keepMs - lateMs);
        const taken = ofKey.put(numbers.map((number) => partOf(rows[number]!, first, columns)));
        taken.forEach((each, at) => (put[numbers[at]!] = more(put[numbers[at]!], each)));
        ofKey.forget(newestMs - keepMs - lateMs);
      }
    });
    this.#newestMs = newestMs;
    return rows.map(({ timeMs, by }, number) => {
      // A row that is of nobody is known to have been.
      const became = put[number] ?? (by.every((key) => key === null) ? 'known' : 'late');
      if (became !== 'late') this.#oldestMs = Math.min(this.#oldestMs, timeMs);
      return became;
    });
  }

  /** Rows of a key; `undefined` where it has none. */
  of(table: number, by: string): KeyRows | undefined {
    return this.#tables[table]!.keys.get(by);
  }

  /** Forgets what no window holds, then tells what is left, as rows that make the same when they are put: the times, then for each table its part. */
  *sweep(): Generator<readonly KeptRow[]> {
    const columnsOfAll = this.#tables.reduce((sum, { columns }) => sum + columns, 0);
    // The rows that set them may be of nobody, or forgotten.
    const nobody = { key: '', by: this.#tables.map(() => null), values: Array.from({ length: columnsOfAll }, () => Number.NaN) };
    yield [this.#oldestMs, this.#newestMs].filter(Number.isFinite).map((timeMs) => ({ ...nobody, timeMs }));
    for (const [table, { keepMs, first, keys }] of this.#tables.entries()) {
      for (const [by, rows] of keys) {
        rows.forget(this.#newestMs - keepMs - lateMs);
        if (rows.size === 0) keys.delete(by);
        else rows.trim();
        yield Array.from(rows.rows(), ({ key, timeMs, values }) => ({
          key,
          timeMs,
          by: this.#tables.map((_, at) => (at === table ? by : null)),
          values: Array.from({ length: columnsOfAll }, (_, at) => values[at - first] ?? Number.NaN),
        }));
      }
    }
  }
}

/** What is said of a row that tables took differently. */
const order: readonly Put[] = ['added', 'changed', 'known'];
const more = (a: Put | undefined, b: Put): Put => (a === undefined || order.indexOf(b) < order.indexOf(a) ? b : a);

const partOf = ({ key, timeMs, values }: KeptRow, first: number, columns: number): KeyRow => ({
  key,
  timeMs,
  values: values.slice(first, first + columns),
});

/** What a map has for a key, put there if need be. */
function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}
