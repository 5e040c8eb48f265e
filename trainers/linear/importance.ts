import type { Examples } from '../../core/examples.ts';
import type { Breathe } from '../linear-algebra.ts';
import { blockRows, eachBlock } from './design.ts';
import type { Design } from './design.ts';

/**
 * How far each feature moves the scores: the standard deviation of its term over the rows, of several scores the root of their summed squares. Of a
 * number it is the size of its standardised weight; of a category the spread of its codes' weights, the common ones counting more.
 */
export async function importanceOf(
  rows: Examples,
  design: Design,
  weights: readonly Float64Array[],
  breathe: Breathe,
): Promise<Readonly<Record<string, number>>> {
  const { features } = rows.encoding;
  const places = features.map((_, at) => columnsOf(design, at));
  const [sums, squares] = [0, 1].map(() => new Float64Array(features.length * weights.length)) as [Float64Array, Float64Array];
  const term = new Float64Array(blockRows);
  await eachBlock(
    design,
    rows,
    ({ rows: count, dense, ones }) => {
      for (const [score, own] of weights.entries()) {
        for (const [at, { columns, category }] of places.entries()) {
          term.fill(0, 0, count);
          for (const j of columns) for (let row = 0; row < count; row++) term[row]! += own[j]! * dense[j * blockRows + row]!;
          if (category >= 0) for (let row = 0; row < count; row++) term[row]! += own[ones[category * blockRows + row]!]!;
          for (let row = 0; row < count; row++) {
            sums[score * features.length + at]! += term[row]!;
            squares[score * features.length + at]! += term[row]! ** 2;
          }
        }
      }
    },
    breathe,
  );
  const all = rows.labels.length;
  const variance = squares.map((square, at) => Math.max(0, square / all - (sums[at]! / all) ** 2));
  const named = features.map(({ name }, at) => {
    const spread = Math.sqrt(weights.reduce((sum, _, score) => sum + variance[score * features.length + at]!, 0));
    return [name, Number(spread.toPrecision(6))] as const;
  });
  return Object.fromEntries(named.toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** Where the weights of a feature stand: dense columns, or which of the categories it is. */
function columnsOf({ scaled, missing, coded }: Design, feature: number): { readonly columns: readonly number[]; readonly category: number } {
  const dense = [...scaled.map(({ at }) => at), ...missing];
  return {
    columns: dense.flatMap((at, j) => (at === feature ? [1 + j] : [])),
    category: coded.findIndex(({ at }) => at === feature),
  };
}
