import type { GbdtOptions } from './options.ts';
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
export const sampleSize = 100_000;

/** Room for the sampled values of one feature after another: fresh memory for each would cost more than the sorting. */
export interface Room {
  readonly keys: Uint32Array;
  readonly sorted: Uint32Array;
  readonly counts: Int32Array;
}

export const roomFor = (rows: number): Room => ({ keys: new Uint32Array(rows), sorted: new Uint32Array(rows), counts: new Int32Array(rows) });

/** The binning of a feature, by its values in the rows `sample`. */
export function binningOf(feature: Feature, sample: Int32Array, { bins, minRowsPerBin }: GbdtOptions, room: Room): Binning {
  if (feature.levels !== undefined) return categoryBinning(feature.values, feature.levels, bins);
  const size = takeSample(feature.values, sample, room);
  const { values, counts } = distinct(sortInPlace(room, size), room.counts);
  const bounds = boundsOf(values, counts, size, bins, minRowsPerBin);
  return { kind: 'number', bounds, codes: bounds.length + 2 };
}

function categoryBinning(values: Feature['values'], levels: number, bins: number): Binning {
  const counts = new Float64Array(levels);
  for (const value of values) if (value >= 0 && value < levels && Number.isInteger(value)) counts[value]! += 1;
  const seen = Array.from({ length: levels }, (_, level) => level).filter((level) => counts[level]! > 0);
  const levelOf = seen.toSorted((a, b) => counts[b]! - counts[a]! || a - b).slice(0, bins);
  return { kind: 'category', levelOf, codes: levelOf.length + 1 };
}

/** Writes the sampled values as float32, but for the missing, to the keys. @returns how many there are. */
function takeSample(values: Feature['values'], sample: Int32Array, { keys }: Room): number {
  const floats = new Float32Array(keys.buffer);
  let size = 0;
  for (let at = 0; at < sample.length; at++) {
    const value = values[sample[at]!]!;
    // Adding zero makes 0 of -0.
    if (value === value) floats[size++] = value + 0;
  }
  return size;
}

/** Radix sort, 11 bits a pass, of keys whose order as whole numbers is that of the floats: 10 times as fast as a comparison sort here. */
function sortInPlace({ keys, sorted }: Room, size: number): Float32Array {
  const starts = [0, 11, 22].map(() => new Uint32Array(2049)) as [Uint32Array, Uint32Array, Uint32Array];
  for (let at = 0; at < size; at++) {
    const bits = keys[at]!;
    const key = bits >>> 31 ? ~bits : bits | 0x80000000;
    keys[at] = key;
    starts[0][(key & 2047) + 1]! += 1;
    starts[1][((key >>> 11) & 2047) + 1]! += 1;
    starts[2][(key >>> 22) + 1]! += 1;
  }
  let [from, to] = [keys, sorted];
  starts.forEach((start, pass) => {
    for (let digit = 1; digit < 2049; digit++) start[digit]! += start[digit - 1]!;
    scatterKeys(from, to, size, start, 11 * pass);
    [from, to] = [to, from];
  });
  for (let at = 0; at < size; at++) from[at] = from[at]! >>> 31 ? from[at]! ^ 0x80000000 : ~from[at]!;
  return new Float32Array(from.buffer, 0, size);
}

function scatterKeys(from: Uint32Array, to: Uint32Array, size: number, starts: Uint32Array, shift: number): void {
  for (let at = 0; at < size; at++) {
    const key = from[at]!;
    const digit = (key >>> shift) & 2047;
    to[starts[digit]!] = key;
    starts[digit]! += 1;
  }
}

/** The distinct ones of ascending values, moved to the front, and how often each occurs. */
function distinct(sorted: Float32Array, counts: Int32Array): { values: Float32Array; counts: Int32Array } {
  let size = 0;
  for (let at = 0; at < sorted.length; at++) {
    const value = sorted[at]!;
    if (size > 0 && value === sorted[size - 1]) counts[size - 1]! += 1;
    else {
      sorted[size] = value;
      counts[size++] = 1;
    }
  }
  return { values: sorted.subarray(0, size), counts: counts.subarray(0, size) };
}

/**
 * Bounds of bins with about as many rows each; a value with as many rows as a bin has one to itself (LightGBM's `GreedyFindBin`).
 */
function boundsOf(values: Float32Array, counts: Int32Array, total: number, bins: number, minRowsPerBin: number): Float32Array {
  const few = values.length <= bins;
  const most = few ? bins : Math.max(1, Math.min(bins, Math.floor(total / minRowsPerBin)));
  // Nothing is large where every value has a bin.
  const large = few ? Infinity : total / most;
  let [restBins, restRows] = [most, total];
  for (let at = 0; at < values.length; at++) if (counts[at]! >= large) [restBins, restRows] = [restBins - 1, restRows - counts[at]!];
  let mean = few ? minRowsPerBin : restRows / restBins;
  const bounds: number[] = [];
  let rows = 0;
  for (let at = 0; at + 1 < values.length && bounds.length + 1 < most; at++) {
    if (counts[at]! < large) restRows -= counts[at]!;
    rows += counts[at]!;
    if (counts[at]! < large && rows < mean && !(counts[at + 1]! >= large && rows >= Math.max(1, mean / 2))) continue;
    bounds.push(between(values[at]!, values[at + 1]!));
    rows = 0;
    if (!few && counts[at]! < large) mean = restRows / --restBins;
  }
  return Float32Array.from(bounds);
}

/** A float32 number t with a <= t < b, in the middle if there is one. */
function between(a: number, b: number): number {
  if (a === -Infinity || b === Infinity) return a;
  const middle = Math.fround(a + (b - a) / 2);
  return middle < b ? middle : a;
}
