import { quantile } from '../bootstrap.ts';
import type { Values } from './columns.ts';
import { descending } from './scores.ts';

/** A plot shows no more than this many points; so many are far below a line's width apart. */
const most = 200;

/** What is reached when rows with at least `threshold` are called positive; null calls no row so. */
interface AtThreshold {
  readonly threshold: number | null;
}

export interface RocPoint extends AtThreshold {
  /** The share of negative rows that are called positive. */
  readonly falsePositiveRate: number;
  /** The share of positive rows that are called so. */
  readonly truePositiveRate: number;
}

/** The ROC curve from (0, 0) to (1, 1), at most 200 points; none where all rows are of one class. */
export function rocCurve(label: Values, score: Values): readonly RocPoint[] {
  const steps = stepsOf(label, score);
  const { positives, negatives } = steps.at(-1)!;
  if (positives === 0 || negatives === 0) return [];
  const points = steps.map((step) => ({
    threshold: step.threshold,
    falsePositiveRate: step.negatives / negatives,
    truePositiveRate: step.positives / positives,
  }));
  return thinned(points, ({ falsePositiveRate, truePositiveRate }) => (falsePositiveRate + truePositiveRate) / 2);
}

export interface PrecisionRecallPoint extends AtThreshold {
  readonly threshold: number;
  /** The share of positive rows that are called so. */
  readonly recall: number;
  /** The share of rows called positive that are. */
  readonly precision: number;
}

/** The precision-recall curve from the highest threshold to the lowest, at most 200 points; none where no row is positive. */
export function precisionRecallCurve(label: Values, score: Values): readonly PrecisionRecallPoint[] {
  const steps = stepsOf(label, score);
  const all = steps.at(-1)!.positives;
  if (all === 0) return [];
  const points = steps.flatMap(({ threshold, positives, negatives }) =>
    threshold === null ? [] : [{ threshold, recall: positives / all, precision: positives / (positives + negatives) }],
  );
  return thinned(points, ({ recall }) => recall);
}

/** How many rows of each class have at least a threshold's score, for every distinct score from the highest down; first come none. */
function stepsOf(label: Values, score: Values): readonly (AtThreshold & { readonly positives: number; readonly negatives: number })[] {
  const { order, ends } = descending(score);
  let [positives, negatives] = [0, 0];
  const steps: ReturnType<typeof stepsOf>[number][] = [{ threshold: null, positives, negatives }];
  for (const [at, row] of order.entries()) {
    if (label[row] === 1) positives++;
    else negatives++;
    if (ends[at] === 1) steps.push({ threshold: score[row]!, positives, negatives });
  }
  return steps;
}

/** At most 200 of the points: the first, the last, and the first of each equal stretch of `progress`, which climbs from 0 to 1. */
function thinned<Point>(points: readonly Point[], progress: (point: Point) => number): readonly Point[] {
  if (points.length <= most) return points;
  let stretch = -1;
  const kept = points.slice(0, -1).filter((point) => {
    const own = Math.min(Math.floor(progress(point) * (most - 1)), most - 2);
    if (own === stretch) return false;
    stretch = own;
    return true;
  });
  return [...kept, points.at(-1)!];
}

export interface Calls {
  /** Rows with at least this score are called positive. */
  readonly threshold: number;
  /** How many are. */
  readonly called: number;
  /** The share of them that are positive. */
  readonly precision: number;
  /** The share of positive rows among them. */
  readonly recall: number;
  /** The share of negative rows among them. */
  readonly falsePositiveRate: number;
}

/** What is reached when at least such shares of the rows are called positive: those with the highest scores, and all that tie with the last of them. */
export function callsByShare(label: Values, score: Values, shares: readonly number[]): readonly Calls[] {
  const steps = stepsOf(label, score);
  const all = steps.at(-1)!;
  const enough = shares.map((share) => steps.find(({ positives, negatives }) => positives + negatives >= share * label.length)!);
  return [...new Set(enough)].flatMap(({ threshold, positives, negatives }) =>
    threshold === null
      ? []
      : [
          {
            threshold,
            called: positives + negatives,
            precision: positives / (positives + negatives),
            recall: positives / all.positives,
            falsePositiveRate: negatives / all.negatives,
          },
        ],
  );
}

export interface ScoreBin {
  readonly from: number;
  readonly to: number;
  /** The share of all negative rows, and of all positive ones, that lie in it. */
  readonly negative: number;
  readonly positive: number;
}

/** How the scores of either class are spread from 0 to the highest, in `bins` of equal width; a bin holds its lower bound, the last one both. */
export function scoreHistogram(label: Values, score: Values, bins = 30): readonly ScoreBin[] {
  const highest = Array.from(score).reduce((most, value) => Math.max(most, value), 0) || 1;
  const counts = [new Float64Array(bins), new Float64Array(bins)] as const;
  for (let row = 0; row < label.length; row++) counts[label[row] === 1 ? 1 : 0][Math.min(Math.floor((score[row]! / highest) * bins), bins - 1)]!++;
  const [negatives, positives] = counts.map((each) => each.reduce((sum, count) => sum + count, 0) || 1) as [number, number];
  return Array.from({ length: bins }, (_, bin) => ({
    from: (bin * highest) / bins,
    to: ((bin + 1) * highest) / bins,
    negative: counts[0][bin]! / negatives,
    positive: counts[1][bin]! / positives,
  }));
}

/** The interval, at 95 %, of a share that was seen in so many rows (Wilson 1927): it holds for few rows too, and never leaves 0–1. */
export function shareInterval(share: number, rows: number): readonly [low: number, high: number] {
  const z = 1.959964;
  const centre = share + z ** 2 / (2 * rows);
  const half = z * Math.sqrt((share * (1 - share)) / rows + z ** 2 / (4 * rows ** 2));
  const of = 1 + z ** 2 / rows;
  return [Math.max(0, (centre - half) / of), Math.min(1, (centre + half) / of)];
}

export interface CalibrationPoint {
  /** The mean probability of the bin's rows. */
  readonly predicted: number;
  /** The share of them that are positive. */
  readonly observed: number;
  readonly rows: number;
}

/**
 * The reliability diagram over at most `bins` bins of equally many rows (scikit-learn's `quantile` strategy: bins that are equal flow together). Where
 * positive rows are rare, bins of equal width, which the calibration error has, would put nearly all rows into one point.
 */
export function calibrationCurve(label: Values, probability: Values, bins = 10): readonly CalibrationPoint[] {
  return binned(probability, bins).map((rows) => ({
    predicted: meanOf(rows, (row) => probability[row]!),
    observed: meanOf(rows, (row) => label[row]!),
    rows: rows.length,
  }));
}

/** The residuals (label − prediction) of the rows whose prediction is about `predicted`; in the label's unit, by share. */
export interface ResidualQuantiles {
  readonly predicted: number;
  readonly rows: number;
  readonly p05: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
}

/** How residuals spread and lean along the prediction, in at most 20 bins of equally many rows. */
export function residualsByPrediction(label: Values, prediction: Values): readonly ResidualQuantiles[] {
  return binned(prediction, 20).map((rows) => {
    const residuals = Float64Array.from(rows, (row) => label[row]! - prediction[row]!).sort();
    const [p05, p25, p50, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => quantile(residuals, share)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { predicted: meanOf(rows, (row) => prediction[row]!), rows: rows.length, p05, p25, p50, p75, p95 };
  });
}

/** How large an error is not exceeded in a share of the rows: the percentiles 0 to 99 of |label − prediction|. The last rows would stretch a plot. */
export function errorPercentiles(label: Values, prediction: Values): readonly number[] {
  const errors = Float64Array.from(label, (value, at) => Math.abs(value - prediction[at]!)).sort();
  return Array.from({ length: 100 }, (_, percent) => quantile(errors, percent / 100));
}

/** How residuals (label − prediction) are spread around zero, in 31 bins of equal width; the hundredth of the rows with the largest errors is in none. */
export function residualHistogram(
  label: Values,
  prediction: Values,
): readonly { readonly from: number; readonly to: number; readonly share: number }[] {
  const most = errorPercentiles(label, prediction).at(-1)! || 1;
  const counts = new Float64Array(31);
  for (let row = 0; row < label.length; row++) {
    const residual = label[row]! - prediction[row]!;
    if (Math.abs(residual) <= most) counts[Math.min(Math.floor(((residual + most) / (2 * most)) * 31), 30)]!++;
  }
  const edge = (bin: number): number => -most + (2 * most * bin) / 31;
  return Array.from(counts, (count, bin) => ({ from: edge(bin), to: edge(bin + 1), share: count / label.length }));
}

/** The percentiles 0 to 100 of the residuals label − prediction. */
export function residualPercentiles(label: Values, prediction: Values): readonly number[] {
  const residuals = Float64Array.from(label, (value, at) => value - prediction[at]!).sort();
  return Array.from({ length: 101 }, (_, percent) => quantile(residuals, percent / 100));
}

/** The rows of each bin between quantiles of `values` (a bin holds its upper bound), without empty bins. */
function binned(values: Values, bins: number): readonly (readonly number[])[] {
  const sorted = Float64Array.from(values).sort();
  const bounds = Array.from({ length: bins - 1 }, (_, bin) => quantile(sorted, (bin + 1) / bins));
  const rows: number[][] = Array.from({ length: bins }, () => []);
  for (let row = 0; row < values.length; row++) {
    const first = bounds.findIndex((bound) => values[row]! <= bound);
    rows[first < 0 ? bins - 1 : first]!.push(row);
  }
  return rows.filter(({ length }) => length > 0);
}

const meanOf = (rows: readonly number[], value: (row: number) => number): number => rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
