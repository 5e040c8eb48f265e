import type { Measure } from '../task.ts';
import { mean, ofColumns, once } from './columns.ts';
import type { Values } from './columns.ts';

/** Mean absolute error, from 0, in the label's unit. */
export const meanAbsoluteError = (label: Values, prediction: Values): Measure =>
  mean(Float64Array.from(label, (value, at) => Math.abs(value - prediction[at]!)));

/** Root of the mean squared error, from 0, in the label's unit. */
export function rootMeanSquaredError(label: Values, prediction: Values): Measure {
  const squared = mean(Float64Array.from(label, (value, at) => (value - prediction[at]!) ** 2));
  return (times) => Math.sqrt(squared(times));
}

/**
 * The coefficient of determination 1 − Σ(y − ŷ)² / Σ(y − ȳ)²: 1 is perfect, 0 as good as the mean of these very labels, below 0 worse than it.
 *
 * As scikit-learn has it, labels that are all the same give 1 to a perfect prediction and 0 to any other, and fewer than two rows have none (NaN).
 */
export function r2(label: Values, prediction: Values): Measure {
  // From the first label on, so that labels that are all the same are zeros, whatever their sum would be rounded to.
  const own = Float64Array.from(label, (value) => value - label[0]!);
  const average = mean(own);
  const squared = mean(Float64Array.from(label, (value, at) => (value - prediction[at]!) ** 2));
  return (times = once(own.length)) => {
    // The centre of these rows, not of all: a difference of two large sums of squares would lose what is asked for.
    const centre = average(times);
    let [count, total] = [0, 0];
    for (let at = 0; at < own.length; at++) {
      const weight = times[at]!;
      count += weight;
      total += weight * (own[at]! - centre) ** 2;
    }
    if (count < 2) return Number.NaN;
    const residual = squared(times);
    const isConstant = Math.sqrt(total / count) <= roundingOfMean * Math.abs(centre);
    if (isConstant) return residual === 0 ? 1 : 0;
    return 1 - (count * residual) / total;
  };
}

/** So far may the labels of a resample, all the same, lie from their computed mean, as a share of it: the rounding of some million sums. */
const roundingOfMean = 1e-10;

/**
 * Mean pinball loss of predictions of the quantile `share` (Koenker & Bassett 1978), from 0, in the label's unit: what lies above the prediction costs
 * `share` of its distance, what lies below 1 − `share`. At 0.5 it is half the mean absolute error.
 */
export const pinballLoss = (label: Values, prediction: Values, share: number): Measure =>
  mean(Float64Array.from(label, (value, at) => Math.max(share * (value - prediction[at]!), (share - 1) * (value - prediction[at]!))));

/** The share of labels within their interval, its bounds included. */
export const intervalCoverage = (label: Values, lower: Values, upper: Values): Measure =>
  mean(Float64Array.from(label, (value, at) => Number(lower[at]! <= value && value <= upper[at]!)));

/** The mean width of intervals, in the label's unit: of two that cover enough, the narrower says more. */
export const intervalWidth = (lower: Values, upper: Values): Measure => mean(Float64Array.from(upper, (value, at) => value - lower[at]!));

/** Of the columns `label` and `prediction`. */
export const regressionMetrics = {
  mae: ofColumns('MAE', 'lower', ['label', 'prediction'], meanAbsoluteError),
  rmse: ofColumns('RMSE', 'lower', ['label', 'prediction'], rootMeanSquaredError),
  r2: ofColumns('R²', 'higher', ['label', 'prediction'], r2, 'there are fewer than two rows'),
};

/** Of the columns `label`, `lower` and `upper`, which are predictions of the quantiles `lower` and `upper` (0.05 and 0.95, say). */
export const intervalMetrics = ({ lower, upper }: { readonly lower: number; readonly upper: number }) => ({
  'interval-coverage': ofColumns('Interval coverage', 'higher', ['label', 'lower', 'upper'], intervalCoverage),
  'interval-width': ofColumns('Interval width', 'lower', ['lower', 'upper'], intervalWidth),
  'pinball-lower': ofColumns(`Pinball loss at ${written(lower)}`, 'lower', ['label', 'lower'], (label, bound) => pinballLoss(label, bound, lower)),
  'pinball-upper': ofColumns(`Pinball loss at ${written(upper)}`, 'lower', ['label', 'upper'], (label, bound) => pinballLoss(label, bound, upper)),
});

/** A share as a person writes it: (1 − 0.8) / 2 is 0.1. */
const written = (share: number): number => Number(share.toPrecision(6));
