import type { Estimate } from './evaluation.ts';
import { MlError } from './errors.ts';
import { random } from './random.ts';

export interface BootstrapOptions {
  /**
   * The number of the cluster of each unit, from 0 without gaps: units that belong together (one user's folds, one patient's visits) are drawn
   * together. Give each unit its own otherwise.
   */
  readonly clusters: Int32Array;
  /** Share of resamples inside the interval, such as 0.95. */
  readonly confidence: number;
  /** Default 2,000: the bounds then wander by about a twentieth of the interval. */
  readonly resamples?: number;
  readonly seed?: number;
  /** Hears now and then how many resamples are done; the next ones wait for it. So many rows take minutes, in which others want a sign of life. */
  readonly progress?: (done: number, total: number) => Promise<void>;
}

/** Resamples between two reports of progress: of a million rows and six contenders, some seconds. */
const resamplesPerReport = 20;

/**
 * Percentile bootstrap intervals of several measures at once (Efron & Tibshirani 1993, chapter 13). Every measure of a resample sees the same units,
 * so a difference between contenders is paired.
 *
 * `measure` gets how often each unit was drawn, or nothing for all units as they are; it returns its numbers in a fixed order, as do we. A resample
 * for which a measure is undefined (NaN: no positive row was drawn) is left out of its interval.
 *
 * @throws {MlError} `DatasetInvalid` if there are no units.
 */
export async function bootstrap(
  measure: (times?: Int32Array) => readonly number[],
  { clusters, confidence, resamples = 2000, seed = 1, progress }: BootstrapOptions,
): Promise<Estimate[]> {
  if (clusters.length === 0) throw new MlError('DatasetInvalid', 'an interval needs at least one unit');
  const drawn = new Int32Array(1 + clusters.reduce((last, cluster) => Math.max(last, cluster), 0));
  const times = new Int32Array(clusters.length);
  const { below } = random(seed);

  const values = measure();
  const draws = values.map(() => new Float64Array(resamples));
  for (let draw = 0; draw < resamples; draw++) {
    drawn.fill(0);
    for (let at = 0; at < drawn.length; at++) drawn[below(drawn.length)]!++;
    for (let unit = 0; unit < times.length; unit++) times[unit] = drawn[clusters[unit]!]!;
    for (const [at, value] of measure(times).entries()) draws[at]![draw] = value;
    if ((draw + 1) % resamplesPerReport === 0) await progress?.(draw + 1, resamples);
  }
  return values.map((value, at) => {
    const sorted = draws[at]!.filter((drawnValue) => !Number.isNaN(drawnValue)).sort();
    if (Number.isNaN(value) || sorted.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
    return { value, low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2) };
  });
}

/** Linear between the neighbouring order statistics (type 7 of Hyndman & Fan, NumPy's default). `sorted` is ascending. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
