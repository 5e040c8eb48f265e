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
