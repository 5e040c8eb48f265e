import type { Values } from './columns.ts';

/**
 * Half the width of intervals around predictions, by split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei, G'Sell, Rinaldo, Tibshirani &
 * Wasserman 2018): the ⌈(n + 1) · coverage⌉-th smallest absolute residual of n rows that the model has not seen. In the label's unit.
 *
 * The label of a new row that is drawn as these were lies within with at least this probability, of predictions of this model and however many rows: on average
 * over rows, so that it may be less in some slices and more in others. That holds of rows that had no part in the model; validation rows had one, in its choice, and
 * a model that is fitted on more rows is another (docs/uncertainty.md), so that the exam measures what is left of it. Infinite where n is below
 * coverage / (1 − coverage).
 */
export function conformalHalfWidth(label: Values, prediction: Values, coverage: number): number {
  const residuals = Float64Array.from(label, (value, at) => Math.abs(value - prediction[at]!)).sort();
  // A product that is a whole number may be computed as a little more.
  const rank = Math.ceil((residuals.length + 1) * coverage - 1e-9);
  return residuals[rank - 1] ?? Infinity;
}
