import { aggregateGroups } from '../aggregates.ts';
import { MlError } from '../errors.ts';
import type { ModelSpec } from '../model-spec.ts';
import { type KeptRows, lateMs } from './kept-rows.ts';

/** A row that is asked about. With its key it is placed among the rows of its time, and may have been put already; without one it comes after them. */
export interface AskedRow {
  readonly key?: string;
  readonly timeMs: number;
  /** As in `KeptRow`. */
  readonly by: readonly (string | null)[];
  readonly values: readonly number[];
}

interface Window {
  readonly overMs: number;
  readonly features: readonly { readonly name: string; readonly of: 'count' | 'sum' | 'mean'; readonly column: number; readonly own: number }[];
}

interface Group {
  readonly table: number;
  readonly delayMs: number;
  /** Which hints are its own. */
  readonly firstHint: number;
  readonly windows: readonly Window[];
}

/**
 * Tells the windowed features of rows of one source from the rows that are kept: what `aggregatesSql` makes for all rows at once. A bound of a window is
 * mostly where it was at the last ask, or one row further; sums and counts are differences. So neither the length of a window nor the number of its
 * rows costs anything.
 *
 * Counts, and sums of whole numbers and flags, are exactly those of SQL. A sum of other numbers is the exact one, rounded: SQL's depends on the order of
 * its terms, and differs by about 1e-15 of itself.
 */
export class KnownFeatures {
  readonly #kept: KeptRows;
  readonly #groups: readonly Group[];

  constructor(spec: Pick<ModelSpec, 'aggregates' | 'sources'>, kept: KeptRows) {
    this.#kept = kept;
    const { source, tables } = kept.shape;
    let hints = 0;
    this.#groups = aggregateGroups(spec)
      .filter((group) => group.source === source)
      .map(({ by, delayMs, features }) => {
        const table = tables.findIndex((each) => each.by === by);
        const first = tables.slice(0, table).reduce((sum, { columns }) => sum + columns.length, 0);
        const windows = [...new Set(features.map(({ overMs }) => overMs))].map((overMs) => ({
          overMs,
          features: features
            .filter((feature) => feature.overMs === overMs)
            .map(({ name, make }) => {
              const column = 'column' in make ? tables[table]!.columns.indexOf(make.column) : 0;
              return { name, of: make.of, column, own: first + column };
            }),
        }));
        const group = { table, delayMs, firstHint: hints, windows };
        hints += windows.length + 1;
        return group;
      });
  }

  /**
   * What is known of a row's keys at its time, the row itself included where there is no delay.
   *
   * @throws {MlError} `RequestInvalid` for a row so long before the newest that what was known then is forgotten.
   */
  ask(row: AskedRow): Record<string, number> {
    const { newestMs } = this.#kept;
    if (row.timeMs < newestMs - lateMs) {
      throw new MlError(
        'RequestInvalid',
        `${isoOf(row.timeMs)} is more than a day before the newest row that was pushed (${isoOf(newestMs)}): what was known then is kept no longer`,
        { newest: isoOf(newestMs) },
      );
    }
    const features: Record<string, number> = {};
    for (const group of this.#groups) this.#tell(group, row, features);
    return features;
  }

  #tell({ table, delayMs, firstHint, windows }: Group, { key, timeMs, by, values }: AskedRow, features: Record<string, number>): void {
    const whose = by[table]!;
    const rows = whose === null ? undefined : this.#kept.of(table, whose);
    const untilMs = timeMs - delayMs;
    const own = whose !== null && delayMs === 0 ? 1 : 0;
    let end = 0;
    if (rows !== undefined) {
      end = own === 1 && key !== undefined ? rows.placeOf(timeMs, key) : rows.firstAfter(untilMs, rows.hints[firstHint]);
      rows.hints[firstHint] = end;
    }
    for (const [at, { overMs, features: made }] of windows.entries()) {
      let start = 0;
      if (rows !== undefined) {
        start = rows.firstAfter(untilMs - overMs, rows.hints[firstHint + 1 + at]);
        rows.hints[firstHint + 1 + at] = start;
      }
      for (const { name, of, column, own: ownColumn } of made) {
        if (of === 'count') {
          features[name] = end - start + own;
          continue;
        }
        const value = own === 1 ? values[ownColumn]! : Number.NaN;
        const isMissing = Number.isNaN(value);
        const sum = (rows === undefined ? 0 : rows.sum(column, start, end)) + (isMissing ? 0 : value);
        const count = (rows === undefined ? 0 : rows.count(column, start, end)) + (isMissing ? 0 : 1);
        features[name] = of === 'sum' || count === 0 ? sum : sum / count;
      }
    }
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
