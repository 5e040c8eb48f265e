import type { Ranges } from '../figure.ts';
import { rounded } from '../figure.ts';
import type { Marks } from '../task.ts';

/** A figure stays readable with so many slices: the largest. */
const mostSlices = 24;

/** What is said of the rows of one slice: a value with its interval, and what it is held against. */
type SliceRow = Omit<Ranges['rows'][number], 'name' | 'units'>;

/** All rows, then the slices from large to small; none that is empty. `rowOf` gets the places of a slice's rows. */
export function rowsBySlice({ units, slices }: Marks, rowOf: (rows: readonly number[]) => SliceRow): Ranges['rows'] {
  const named = Object.entries(slices).map(([name, members]) => ({ name, rows: members.flatMap((is, at) => (is ? [at] : [])) }));
  const largest = named.toSorted((a, b) => b.rows.length - a.rows.length || (a.name < b.name ? -1 : 1)).slice(0, mostSlices);
  return [{ name: 'all', rows: units.map((_, at) => at) }, ...largest]
    .filter(({ rows }) => rows.length > 0)
    .map(({ name, rows }) => {
      const { value, low, high, mark } = rowOf(rows);
      return { name, units: rows.length, value: rounded(value), low: rounded(low), high: rounded(high), mark: rounded(mark) };
    });
}
