import { codesAt, derivativeStride, fetchedBytes, foundFields, leafFields, lossChunk } from './plan.ts';
import { quantileOf, weightedQuantileOf } from './quantile.ts';
import { splitCategory } from './split-category.ts';
import { noSplit, splitNumber } from './split.ts';
import { histogramAt, histogramBytes, unpacked } from './workspace.ts';
import type { LeafSums, Split } from './split.ts';
import type { Workspace } from './workspace.ts';

/** One thread's part of a task: share number `share` of `shares`. Arguments are the same for all. */
export type Task = (space: Workspace, share: number, shares: number, ...given: number[]) => void;

// A global is looked up anew at each call in a sandbox, and this is called often.
const { floor } = Math;

/** What threads do together. Sums are exact or by fixed chunks, so nothing depends on how many there are. */
export const tasks = { encode, layRows, derive, totalLoss, quantise, histogram, scan, partition, refit, scatter, descend } satisfies Record<
  string,
  Task
>;

export type TaskName = keyof typeof tasks;
export const taskNames = Object.keys(tasks) as TaskName[];

/** Where a share of `count` things begins. */
const part = (count: number, share: number, shares: number): number => floor((count * share) / shares);

/** Code is compiled to its fast form while it is not running: no call takes long. */
const rowsPerCall = 16_384;

/** Codes of the numbers that wait in the spare memory. */
function encode({ plan, kernels, shape }: Workspace, share: number, shares: number, feature: number, missing: number): void {
  const all = shape.rows + shape.validationRows;
  const [first, end] = [part(all, share, shares), part(all, share + 1, shares)];
  const into = plan.columns + feature * all;
  for (let row = first; row < end; row += rowsPerCall) {
    const stop = Math.min(end, row + rowsPerCall);
    kernels.encode(plan.spare + 4 * row, plan.spare + 4 * stop, plan.bounds, into + row, missing);
  }
}

/** Codes of the training rows once more, side by side. */
function layRows({ plan, shape, bytes }: Workspace, share: number, shares: number): void {
  const all = shape.rows + shape.validationRows;
  const [first, end] = [part(shape.rows, share, shares), part(shape.rows, share + 1, shares)];
  for (const block of plan.blocks) {
    // So many rows at a time stay in the cache.
    for (let from = first; from < end; from += rowsPerCall / 4) {
      const to = Math.min(end, from + rowsPerCall / 4);
      for (let feature = 0; feature < block.width; feature++) {
        const column = plan.columns + (block.first + feature) * all;
        const into = block.rows + codesAt + feature;
        for (let row = from; row < to; row++) bytes[into + row * block.stride] = bytes[column + row]!;
      }
    }
  }
}

/** Derivatives of the loss at the training rows, the largest of them, and the sums of the loss. */
function derive(space: Workspace, share: number, shares: number): void {
  const { shape, plan, kernels, objective, scored, gradients, hessians, losses, extremes, unitHessian } = space;
  const { rows, outputs } = shape;
  const stride = derivativeStride(rows);
  const chunks = Math.ceil(rows / lossChunk);
  const most = extremes.subarray(share * outputs * 2, (share + 1) * outputs * 2).fill(0);
  for (let chunk = part(chunks, share, shares); chunk < part(chunks, share + 1, shares); chunk++) {
    const [from, to] = [chunk * lossChunk, Math.min(rows, (chunk + 1) * lossChunk)];
    losses[chunk] = objective.derive(scored, from, to, { gradients, hessians, stride });
    for (let output = 0; output < outputs; output++) {
      const [first, end] = [4 * (output * stride + from), 4 * (output * stride + to)];
      // Not a comparison: a NaN has to come through.
      most[2 * output] = Math.max(most[2 * output]!, kernels.largest(plan.gradients + first, plan.gradients + end));
      if (unitHessian) continue;
      most[2 * output + 1] = Math.max(most[2 * output + 1]!, kernels.largest(plan.hessians + first, plan.hessians + end));
    }
  }
}

/** Sums of the loss at the rows `from` to `to`. */
function totalLoss({ objective, scored, losses }: Workspace, share: number, shares: number, from: number, to: number): void {
  const chunks = Math.ceil((to - from) / lossChunk);
  for (let chunk = part(chunks, share, shares); chunk < part(chunks, share + 1, shares); chunk++) {
    losses[chunk] = objective.total(scored, from + chunk * lossChunk, Math.min(to, from + (chunk + 1) * lossChunk));
  }
}

/** Derivatives of one output as whole numbers of units. Their sums are exact, so the order of rows does not matter. */
function quantise(
  { shape, plan, kernels }: Workspace,
  share: number,
  shares: number,
  output: number,
  gradientUnit: number,
  hessianUnit: number,
): void {
  const { rows } = shape;
  const [first, end] = [part(rows, share, shares), part(rows, share + 1, shares)];
  const at = 4 * output * derivativeStride(rows);
  for (const kernel of kernels.quantise) {
    for (let row = first; row < end; row += rowsPerCall) {
      // Units are powers of two, and so is what they are divided into.
      kernel(row, Math.min(end, row + rowsPerCall), plan.gradients + at, plan.hessians + at, 1 / gradientUnit, 1 / hessianUnit);
    }
  }
}

/** The histogram of the rows at `from` in the order: the first share in its place, the others beside it. */
function histogram(space: Workspace, share: number, shares: number, from: number, count: number, slot: number): void {
  const { plan, kernels, sampled } = space;
  const into = share === 0 ? histogramAt(space, slot) : plan.partial + (share - 1) * histogramBytes(space);
  kernels.clear(into, histogramBytes(space));
  const first = plan.order + 4 * (from + part(count, share, shares));
  const end = plan.order + 4 * (from + part(count, share + 1, shares));
  const fetched = plan.fetched + share * fetchedBytes;
  plan.blocks.forEach((block, index) => {
    if (!sampled.subarray(block.first, block.first + block.width).includes(1)) return;
    const add = kernels.histograms[index]!;
    for (let at = first; at < end; at += 4 * rowsPerCall) add(at, Math.min(end, at + 4 * rowsPerCall), into, fetched);
  });
}

const best = noSplit();

/**
 * The best split of each feature in two leaves. Histograms of the first leaf are added up from `parts`; those of the second, whose place is still the
 * parent's, by subtraction.
 */
function scan(
  space: Workspace,
  share: number,
  shares: number,
  slot: number,
  other: number,
  parts: number,
  gradientUnit: number,
  hessianUnit: number,
): void {
  const { plan, kernels, kinds, options, shape, leafSums, sampled } = space;
  const units = { gradient: gradientUnit, hessian: hessianUnit };
  const leaves = [leafAt(leafSums, 0), leafAt(leafSums, 1)];
  for (let feature = share; feature < kinds.length; feature += shares) {
    if (!sampled[feature]) continue;
    const [start, end] = [plan.entriesAt[feature]!, plan.entriesAt[feature + 1]!];
    const places = [histogramAt(space, slot), histogramAt(space, other)] as const;
    for (let each = 0; each < parts - 1; each++) {
      const from = plan.partial + each * histogramBytes(space);
      kernels.add(places[0] + start, from + start, from + end);
    }
    if (other >= 0) kernels.subtract(places[1] + start, places[0] + start, places[0] + end);
    for (let side = 0; side < 2; side++) {
      const leaf = leaves[side];
      best.gain = 0;
      if (leaf) {
        const entries = unpacked(space, share, places[side]!, feature);
        const codes = shape.codes[feature]!;
        if (kinds[feature] === 'category') splitCategory(entries, codes, leaf, units, options, best);
        else splitNumber(entries, codes, leaf, options.monotone[feature] ?? 0, units, options, best);
      }
      writeFound(space, side, feature, best);
    }
  }
}

/** @returns `undefined` for a leaf that must not be split. */
function leafAt(leafSums: Float64Array, side: number): LeafSums | undefined {
  const field = (which: number) => leafSums[side * leafFields + which]!;
  return field(5) ? { gradient: field(0), hessian: field(1), rows: field(2), lowest: field(3), highest: field(4) } : undefined;
}

function writeFound({ found, foundSets, kinds }: Workspace, side: number, feature: number, split: Split): void {
  const at = side * kinds.length + feature;
  const field = at * foundFields;
  found[field] = split.gain;
  found[field + 1] = split.code;
  found[field + 2] = split.missingLeft ? 1 : 0;
  found[field + 3] = split.gradient;
  found[field + 4] = split.hessian;
  found[field + 5] = split.rows;
  found[field + 6] = split.l2;
  if (kinds[feature] === 'category') foundSets.set(split.set, at * 256);
}

/** Rows of a leaf to their sides, within each share; `extremes` says how many went left. */
function partition(
  { plan, kernels, extremes, shape }: Workspace,
  share: number,
  shares: number,
  from: number,
  count: number,
  feature: number,
  node: number,
): void {
  const [first, end] = [from + part(count, share, shares), from + part(count, share + 1, shares)];
  const column = plan.columns + feature * (shape.rows + shape.validationRows);
  const [list, spare] = [plan.order + 4 * first, plan.spare + 4 * first];
  const left = first < end ? kernels.partition(list, plan.order + 4 * end, list, spare, column, plan.routes + 256 * node) >>> 0 : list;
  extremes[share] = (left - list) / 4;
}

/** Leaves of losses that know sides only: a quantile of the residuals. */
function refit({ objective, scored, leafRows, leafValues, order }: Workspace, share: number, shares: number, leaves: number, rate: number): void {
  const { labels, weights, scores } = scored;
  for (let leaf = share; leaf < leaves; leaf += shares) {
    const rows = order.subarray(leafRows[2 * leaf]!, leafRows[2 * leaf]! + leafRows[2 * leaf + 1]!);
    const residuals = new Float64Array(rows.length);
    for (let at = 0; at < rows.length; at++) residuals[at] = labels[rows[at]!]! - scores[rows[at]!]!;
    const alpha = objective.refit!;
    const value = weights
      ? weightedQuantileOf(
          residuals,
          Float64Array.from(rows, (row) => weights[row]!),
          alpha,
        )
      : quantileOf(residuals, alpha);
    leafValues[leaf] = rate * value;
  }
}

/** Leaf values to the scores of the tree's rows. A share is a range of rows, not of places in the order: no two threads write to one cache line. */
function scatter({ plan, kernels, shape, leafRows, order }: Workspace, share: number, shares: number, output: number, leaves: number): void {
  const scores = plan.scores + output * (shape.rows + shape.validationRows) * 8;
  const [low, high] = [part(shape.rows, share, shares), part(shape.rows, share + 1, shares)];
  for (let leaf = 0; leaf < leaves; leaf++) {
    const start = leafRows[2 * leaf]!;
    const rows = order.subarray(start, start + leafRows[2 * leaf + 1]!);
    const [first, end] = [plan.order + 4 * (start + lowerBound(rows, low)), plan.order + 4 * (start + lowerBound(rows, high))];
    for (let at = first; at < end; at += 4 * rowsPerCall)
      kernels.scatter(at, Math.min(end, at + 4 * rowsPerCall), plan.leafValues + 8 * leaf, scores);
  }
}

/** The first place in ascending `rows` with at least `bound`. */
function lowerBound(rows: Int32Array, bound: number): number {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (rows[middle]! < bound) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Leaf values to the scores of rows that the tree was not grown on. */
function descend({ plan, kernels, shape }: Workspace, share: number, shares: number, output: number, from: number, to: number): void {
  const scores = plan.scores + output * (shape.rows + shape.validationRows) * 8;
  const first = plan.order + 4 * (from + part(to - from, share, shares));
  const end = plan.order + 4 * (from + part(to - from, share + 1, shares));
  for (let at = first; at < end; at += 4 * rowsPerCall) kernels.descend(at, Math.min(end, at + 4 * rowsPerCall), scores);
}
