import { codesOf } from '../../core/encoding.ts';
import type { Examples } from '../../core/examples.ts';
import type { Breathe } from '../linear-algebra.ts';

/** A number to scale: (value − mean) / deviation, the median where it is missing. */
export interface Scaled {
  readonly at: number;
  readonly median: number;
  readonly mean: number;
  readonly deviation: number;
}

/** A category: a column for each code and one for missing values, from `offset` on. */
export interface Coded {
  readonly at: number;
  readonly offset: number;
  readonly codes: number;
}

/**
 * What the weights of a linear model stand for, in their order: 1, the scaled numbers, whether a number is missing, then the codes of each category.
 * None is dropped of a category's codes: the penalty makes the weights unique. A number that is always the same has no weight.
 */
export interface Design {
  readonly scaled: readonly Scaled[];
  /** Features whose absence is a column. */
  readonly missing: readonly number[];
  readonly coded: readonly Coded[];
  /** Columns that every row has a number in. */
  readonly dense: number;
  /** All columns, codes included. */
  readonly columns: number;
}

export function designOf({ encoding: { features } }: Examples): Design {
  const numbers = [...features.entries()].filter(([, feature]) => codesOf(feature) === undefined);
  const scaled = numbers
    .filter(([, { deviation }]) => deviation > 0)
    // The graph reads features and imputes in float32.
    .map(([at, { median, mean, deviation }]) => ({ at, median: Math.fround(median), mean, deviation }));
  const missing = numbers.filter(([, feature]) => feature.missing > 0 && feature.missing < 1).map(([at]) => at);
  const dense = 1 + scaled.length + missing.length;
  const coded: Coded[] = [];
  let columns = dense;
  for (const [at, feature] of features.entries()) {
    const codes = codesOf(feature);
    if (codes === undefined) continue;
    coded.push({ at, offset: columns, codes });
    columns += codes + 1;
  }
  return { scaled, missing, coded, dense, columns };
}

/** Rows that are looked at together: their columns stay in the second-level cache. */
export const blockRows = 512;

/** Some rows of the design. Column `j` of the dense ones is at `j * blockRows`; of each category the column that holds its 1, at `c * blockRows`. */
export interface Block {
  from: number;
  rows: number;
  readonly dense: Float64Array;
  readonly ones: Int32Array;
}

/** Calls `visit` with each block of rows in turn. The block is the same object every time. */
export async function eachBlock(design: Design, { features, labels }: Examples, visit: (block: Block) => void, breathe: Breathe): Promise<void> {
  const block: Block = {
    from: 0,
    rows: 0,
    dense: new Float64Array(design.dense * blockRows),
    ones: new Int32Array(design.coded.length * blockRows),
  };
  for (let from = 0; from < labels.length; from += blockRows) {
    block.from = from;
    block.rows = Math.min(blockRows, labels.length - from);
    fill(block, design, features);
    visit(block);
    if ((from / blockRows) % 256 === 255) await breathe(from / labels.length);
  }
}

function fill({ from, rows, dense, ones }: Block, { scaled, missing, coded }: Design, features: readonly Float32Array[]): void {
  dense.fill(1, 0, rows);
  let column = blockRows;
  for (const { at, median, mean, deviation } of scaled) {
    const values = features[at]!;
    for (let row = 0; row < rows; row++) {
      const value = values[from + row]!;
      dense[column + row] = ((value === value ? value : median) - mean) / deviation;
    }
    column += blockRows;
  }
  for (const at of missing) {
    const values = features[at]!;
    for (let row = 0; row < rows; row++) dense[column + row] = values[from + row] === values[from + row] ? 0 : 1;
    column += blockRows;
  }
  let into = 0;
  for (const { at, offset, codes } of coded) {
    const values = features[at]!;
    for (let row = 0; row < rows; row++) {
      const code = values[from + row]!;
      ones[into + row] = offset + (code === code ? code : codes);
    }
    into += blockRows;
  }
}
