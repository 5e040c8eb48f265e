import type { Estimate } from './evaluation.ts';
import { MlError } from './errors.ts';
import { random } from './random.ts';

export interface BootstrapOptions {
  /** The number of the cluster of each unit, from 0: units that belong together (one user's folds) are drawn together. Give each unit its own otherwise. */
  readonly clusters: Int32Array;
  /** Share of resamples inside the interval, such as 0.95. */
  readonly confidence: number;
  /** Default 2,000: the bounds then wander by about a twentieth of the interval. */
  readonly resamples?: number;
  readonly seed?: number;
}

/**
 * Percentile bootstrap intervals of several measures at once (Efron & Tibshirani 1993, chapter 13). Every measure of a resample sees the same units,
 * so a difference between contenders is paired.
 *
 * `measure` gets positions of units, with repetition, or nothing for all units as they are; it returns its numbers in a fixed order, as do we.
 *
 * @throws {MlError} `DatasetInvalid` if there are no units.
 */
export function bootstrap(
  measure: (sample?: Int32Array) => readonly number[],
  { clusters, confidence, resamples = 2000, seed = 1 }: BootstrapOptions,
): Estimate[] {
  if (clusters.length === 0) throw new MlError('DatasetInvalid', 'an interval needs at least one unit');
  const members = membersOf(clusters);
  const largest = members.reduce((size, units) => Math.max(size, units.length), 0);
  const buffer = new Int32Array(members.length * largest);
  const { below } = random(seed);

  const values = measure();
  const draws = values.map(() => new Float64Array(resamples));
  for (let draw = 0; draw < resamples; draw++) {
    let length = 0;
    for (let at = 0; at < members.length; at++) for (const unit of members[below(members.length)]!) buffer[length++] = unit;
    const measured = measure(buffer.subarray(0, length));
    for (const [at, value] of measured.entries()) draws[at]![draw] = value;
  }
  return values.map((value, at) => {
    const sorted = draws[at]!.sort();
    return { value, low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2) };
  });
}

function membersOf(clusters: Int32Array): readonly (readonly number[])[] {
  const members: number[][] = [];
  for (const [unit, cluster] of clusters.entries()) (members[cluster] ??= []).push(unit);
  return members;
}

/** Linear between the neighbouring order statistics (type 7 of Hyndman & Fan, NumPy's default). `sorted` is ascending. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
