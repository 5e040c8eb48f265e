import type { Measure } from '../task.ts';
import { mean, ofColumns, once } from './columns.ts';
import type { Values } from './columns.ts';
import { descending } from './scores.ts';

// Throughout, a `label` is 1 for a positive row and 0 for a negative one.

/**
 * The area under the ROC curve: the chance that a positive row has a higher score than a negative one, where a tie counts half (Mann & Whitney 1947).
 * 0.5 is chance, 1 perfect. NaN where all rows are of one class.
 */
export function rocAuc(label: Values, score: Values): Measure {
  const { order, ends } = descending(score);
  const positive = Uint8Array.from(order, (row) => label[row]!);
  return (times = once(order.length)) => {
    let [positives, negatives, tiedPositives, tied, pairs] = [0, 0, 0, 0, 0];
    for (let at = 0; at < order.length; at++) {
      const weight = times[order[at]!]!;
      tied += weight;
      tiedPositives += weight * positive[at]!;
      if (ends[at] === 0) continue;
      const tiedNegatives = tied - tiedPositives;
      pairs += tiedNegatives * (positives + tiedPositives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
      tied = tiedPositives = 0;
    }
    return pairs / (positives * negatives);
  };
}

/**
 * Average precision Σ (Rₙ − Rₙ₋₁) Pₙ over distinct scores from the highest down, without interpolation (scikit-learn's definition). The share of
 * positive rows is chance, 1 perfect. NaN where no row is positive, of which scikit-learn warns and says 0.
 */
export function averagePrecision(label: Values, score: Values): Measure {
  const { order, ends } = descending(score);
  const positive = Uint8Array.from(order, (row) => label[row]!);
  return (times = once(order.length)) => {
    let [positives, rows, tiedPositives, sum] = [0, 0, 0, 0];
    for (let at = 0; at < order.length; at++) {
      const weight = times[order[at]!]!;
      rows += weight;
      tiedPositives += weight * positive[at]!;
      if (ends[at] === 0 || tiedPositives === 0) continue;
      positives += tiedPositives;
      sum += (tiedPositives * positives) / rows;
      tiedPositives = 0;
    }
    return sum / positives;
  };
}

/**
 * The share of positive rows among the `k` with the highest scores (among all, where there are fewer). Of a tie at the border as many are taken as
 * there is room for, each with the same chance: the expected precision of a random order.
 */
export function precisionAmong(label: Values, score: Values, k: number): Measure {
  const { order, ends } = descending(score);
  const positive = Uint8Array.from(order, (row) => label[row]!);
  return (times = once(order.length)) => {
    let [taken, positives, tiedPositives, tied] = [0, 0, 0, 0];
    for (let at = 0; at < order.length && taken < k; at++) {
      const weight = times[order[at]!]!;
      tied += weight;
      tiedPositives += weight * positive[at]!;
      if (ends[at] === 0 || tied === 0) continue;
      const room = Math.min(tied, k - taken);
      taken += room;
      positives += (tiedPositives * room) / tied;
      tied = tiedPositives = 0;
    }
    return positives / taken;
  };
}

/** The most that a wrong probability may cost is −ln 2⁻⁵² = 36: scikit-learn clips at the same distance from 0 and 1. */
const clipped = (probability: number): number => Math.min(Math.max(probability, Number.EPSILON), 1 - Number.EPSILON);

/** Mean −ln of the probability that was given to what happened, in nats, from 0. Takes for each row the probability of its true class. */
export const crossEntropy = (ofTruth: Values): Measure => mean(Float64Array.from(ofTruth, (probability) => -Math.log(clipped(probability))));

/** Log loss in nats, from 0: the share of positive rows, given to all, scores their entropy. */
export const logLoss = (label: Values, probability: Values): Measure =>
  crossEntropy(Float64Array.from(label, (value, at) => (value === 1 ? probability[at]! : 1 - probability[at]!)));

/** The mean squared distance of a probability from what happened (Brier 1950), 0–1. */
export const brierScore = (label: Values, probability: Values): Measure =>
  mean(Float64Array.from(label, (value, at) => (value - probability[at]!) ** 2));

/** Bins of the calibration error. The bounds are scikit-learn's, to the last bit. */
const bins = 10;
const upperBounds = Float64Array.from({ length: bins - 1 }, (_, bin) => (bin + 1) * (1 / bins));

/**
 * Expected calibration error (Naeini, Cooper & Hauskrecht 2015), 0–1: over ten bins of equal width, (0, 0.1], (0.1, 0.2] … with 0 in the first, the
 * distance between the mean probability and the share of positive rows, weighted by rows.
 */
export function expectedCalibrationError(label: Values, probability: Values): Measure {
  const excess = Float64Array.from(label, (value, at) => probability[at]! - value);
  const bin = Uint8Array.from(probability, (value) => {
    const first = upperBounds.findIndex((bound) => value <= bound);
    return first < 0 ? bins - 1 : first;
  });
  return (times = once(excess.length)) => {
    const excesses = new Float64Array(bins);
    let rows = 0;
    for (let at = 0; at < excess.length; at++) {
      const weight = times[at]!;
      excesses[bin[at]!]! += weight * excess[at]!;
      rows += weight;
    }
    return excesses.reduce((sum, each) => sum + Math.abs(each), 0) / rows;
  };
}

/** How rows fall when those with at least a threshold's probability are called positive. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

export function confusionAt(label: Values, probability: Values, threshold: number): Confusion {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (let at = 0; at < label.length; at++) {
    const isPositive = label[at] === 1;
    if (probability[at]! >= threshold) counts[isPositive ? 'truePositives' : 'falsePositives']++;
    else counts[isPositive ? 'falseNegatives' : 'trueNegatives']++;
  }
  return counts;
}

const asked = ['label', 'probability'];

/** Of the columns `label` and `probability`. */
export const binaryMetrics = {
  'roc-auc': ofColumns('ROC AUC', 'higher', asked, rocAuc, 'all rows are of one class'),
  'average-precision': ofColumns('Average precision', 'higher', asked, averagePrecision, 'no row is positive'),
  'log-loss': ofColumns('Log loss', 'lower', asked, logLoss),
  brier: ofColumns('Brier score', 'lower', asked, brierScore),
  ece: ofColumns('Calibration error', 'lower', asked, expectedCalibrationError),
};

/** Of the columns `label` and `probability`. */
export const precisionAt = (k: number) => ofColumns(`Precision@${k}`, 'higher', asked, (label, probability) => precisionAmong(label, probability, k));
