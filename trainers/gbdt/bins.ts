import type { Feature } from './table.ts';

/**
 * How a feature's values become codes of one byte. Numbers: `bounds` are the upper bounds of all bins but the last, float32 numbers between two values
 * that occur, so that `value <= bound` decides alike here and in ONNX Runtime. Categories: level → code, the most frequent levels only.
 *
 * The last code (`codes` − 1) stands for missing numbers, and for missing, unseen and rare categories.
 */
export type Binning =
  | { readonly kind: 'number'; readonly bounds: Float32Array; readonly codes: number }
  | { readonly kind: 'category'; readonly levelOf: readonly number[]; readonly codes: number };

/** Bins are found on so many rows at most: quantiles of more would hardly differ. */
export const sampleSize = 200_000;

export function binningOf(feature: Feature, sample: Int32Array | undefined, bins: number, minRowsPerBin: number): Binning {
  if (feature.levels !== undefined) return categoryBinning(feature.values, feature.levels, bins);
  const { values, counts, total } = distinct(sampled(feature.values, sample));
  const bounds = boundsOf(values, counts, total, bins, minRowsPerBin);
  return { kind: 'number', bounds, codes: bounds.length + 2 };
}

function categoryBinning(values: Feature['values'], levels: number, bins: number): Binning {
  const counts = new Float64Array(levels);
  for (const value of values) if (value >= 0 && value < levels && Number.isInteger(value)) counts[value]! += 1;
  const seen = Array.from({ length: levels }, (_, level) => level).filter((level) => counts[level]! > 0);
  const levelOf = seen.toSorted((a, b) => counts[b]! - counts[a]! || a - b).slice(0, bins);
  return { kind: 'category', levelOf, codes: levelOf.length + 1 };
}

/** The values as float32 (of the sampled rows), without the missing. */
function sampled(values: Feature['values'], sample: Int32Array | undefined): Float32Array {
  const count = sample?.length ?? values.length;
  const kept = new Float32Array(count);
  let size = 0;
  for (let at = 0; at < count; at++) {
    const value = values[sample ? sample[at]! : at]!;
    // Adding zero makes 0 of -0.
    if (value === value) kept[size++] = value + 0;
  }
  return kept.subarray(0, size);
}

/** The distinct values in ascending order and how often each occurs. */
function distinct(values: Float32Array): { values: Float32Array; counts: Int32Array; total: number } {
  const sorted = sortedFloats(values);
  const counts = new Int32Array(sorted.length);
  let size = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (at > 0 && sorted[at] === sorted[size - 1]) counts[size - 1]! += 1;
    else {
      sorted[size] = sorted[at]!;
      counts[size++] = 1;
    }
  }
  return { values: sorted.subarray(0, size), counts: counts.subarray(0, size), total: values.length };
}

/** Radix sort, 11 bits a pass, of keys whose order as whole numbers is that of the floats: 10 times as fast as a comparison sort here. */
function sortedFloats(values: Float32Array): Float32Array {
  let from = new Uint32Array(values.slice().buffer);
  for (let at = 0; at < from.length; at++) from[at] = from[at]! ^ (from[at]! >>> 31 ? 0xffffffff : 0x80000000);
  let to = new Uint32Array(from.length);
  for (const shift of [0, 11, 22]) {
    const starts = new Uint32Array(2049);
    for (let at = 0; at < from.length; at++) starts[((from[at]! >>> shift) & 2047) + 1]! += 1;
    for (let digit = 1; digit < 2049; digit++) starts[digit]! += starts[digit - 1]!;
    for (let at = 0; at < from.length; at++) to[starts[(from[at]! >>> shift) & 2047]!++] = from[at]!;
    [from, to] = [to, from];
  }
  for (let at = 0; at < from.length; at++) from[at] = from[at]! ^ (from[at]! >>> 31 ? 0x80000000 : 0xffffffff);
  return new Float32Array(from.buffer);
}

/**
 * Bounds of bins with about as many rows each; a value with as many rows as a bin has one to itself (LightGBM's `GreedyFindBin`).
 */
function boundsOf(values: Float32Array, counts: Int32Array, total: number, bins: number, minRowsPerBin: number): Float32Array {
  const few = values.length <= bins;
  const most = few ? bins : Math.max(1, Math.min(bins, Math.floor(total / minRowsPerBin)));
  const large = counts.map((count) => (!few && count >= total / most ? 1 : 0));
  let [restBins, restRows] = [most, total];
  large.forEach((is, at) => {
    if (is) [restBins, restRows] = [restBins - 1, restRows - counts[at]!];
  });
  let mean = few ? minRowsPerBin : restRows / restBins;
  const bounds: number[] = [];
  let rows = 0;
  for (let at = 0; at + 1 < values.length && bounds.length + 1 < most; at++) {
    if (!large[at]) restRows -= counts[at]!;
    rows += counts[at]!;
    if (!large[at] && rows < mean && !(large[at + 1] && rows >= Math.max(1, mean / 2))) continue;
    bounds.push(between(values[at]!, values[at + 1]!));
    rows = 0;
    if (!few && !large[at]) mean = restRows / --restBins;
  }
  return Float32Array.from(bounds);
}

/** A float32 number t with a <= t < b, in the middle if there is one. */
function between(a: number, b: number): number {
  if (a === -Infinity || b === Infinity) return a;
  const middle = Math.fround(a + (b - a) / 2);
  return middle < b ? middle : a;
}
