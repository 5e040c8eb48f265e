import type { Values } from './columns.ts';
import { descending } from './scores.ts';

/** σ(slope · ln(p / (1 − p)) + intercept): 1 and 0 leave a probability as it is. */
export interface Platt {
  readonly method: 'platt';
  readonly slope: number;
  readonly intercept: number;
}

/** The straight lines between the knots (`from[i]`, `to[i]`); level outside them. `from` climbs, `to` never falls, and both have the same length. */
export interface Isotonic {
  readonly method: 'isotonic';
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** How to turn a model's probability into one that is met: plain numbers, which a graph of standard operators can hold. */
export type Calibration = Platt | Isotonic;

/** Nearer to 0 or 1 than this, probabilities of 32 bits have no exact odds: they are taken to be at this distance. */
export const certainty = 1e-7;

export const logOdds = (probability: number): number => {
  const inside = Math.min(Math.max(probability, certainty), 1 - certainty);
  return Math.log(inside / (1 - inside));
};

const logistic = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** The calibrated probability. */
export function calibrate(calibration: Calibration, probability: number): number {
  if (calibration.method === 'platt') return logistic(calibration.slope * logOdds(probability) + calibration.intercept);
  const { from, to } = calibration;
  if (probability <= from[0]!) return to[0]!;
  let [below, above] = [0, from.length - 1];
  if (probability >= from[above]!) return to[above]!;
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (from[middle]! <= probability) below = middle;
    else above = middle;
  }
  const share = (probability - from[below]!) / (from[above]! - from[below]!);
  return to[below]! + share * (to[above]! - to[below]!);
}

/**
 * Platt's scaling, of log-odds: a logistic regression of the label on them, whose targets are drawn in from 0 and 1 by one made-up row of each class
 * (Platt 1999), so that rows that are perfectly separated still give finite numbers. By Newton's method with halved steps (Lin, Lin & Weng 2007) to
 * the last digits. Two numbers, so few rows (hundreds) are enough; the order of scores stays.
 */
export function fitPlatt(label: Values, probability: Values): Platt {
  const odds = Float64Array.from(probability, logOdds);
  const positives = Array.from(label).filter((value) => value === 1).length;
  const negatives = label.length - positives;
  const target = Float64Array.from(label, (value) => (value === 1 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2)));
  // ln(1 + e^z) − t·z is the loss of log-odds z; the larger part of the logarithm is taken out, so that nothing overflows.
  const lossOf = (slope: number, intercept: number): number =>
    odds.reduce((sum, x, at) => {
      const z = slope * x + intercept;
      return sum + Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target[at]! * z;
    }, 0);

  let [slope, intercept] = [0, Math.log((positives + 1) / (negatives + 1))];
  let loss = lossOf(slope, intercept);
  for (let round = 0; round < 100; round++) {
    const [gradient, curvature] = derivatives(odds, target, slope, intercept);
    const [dSlope, dIntercept] = solved(curvature, gradient);
    let step = 1;
    // Rounding alone may raise the loss of a step that is as good as the last one.
    while (step > 1e-10 && lossOf(slope - step * dSlope, intercept - step * dIntercept) > loss * (1 + 1e-12)) step /= 2;
    [slope, intercept] = [slope - step * dSlope, intercept - step * dIntercept];
    if (Math.abs(dSlope) + Math.abs(dIntercept) <= 1e-12 * (1 + Math.abs(slope) + Math.abs(intercept))) break;
    loss = lossOf(slope, intercept);
  }
  return { method: 'platt', slope, intercept };
}

type Pair = readonly [number, number];

function derivatives(odds: Float64Array, target: Float64Array, slope: number, intercept: number): readonly [Pair, readonly [number, number, number]] {
  let [bySlope, byIntercept, slopes, mixed, intercepts] = [0, 0, 0, 0, 0];
  for (let at = 0; at < odds.length; at++) {
    const x = odds[at]!;
    const p = logistic(slope * x + intercept);
    const spread = p * (1 - p);
    bySlope += (p - target[at]!) * x;
    byIntercept += p - target[at]!;
    slopes += spread * x * x;
    mixed += spread * x;
    intercepts += spread;
  }
  return [
    [bySlope, byIntercept],
    [slopes, mixed, intercepts],
  ];
}

/** Solves the two equations. Where all scores are equal the slope cannot be told from the intercept: a trace on the diagonal leaves it where it was. */
function solved([a, b, c]: readonly [number, number, number], [x, y]: Pair): Pair {
  const ridge = 1e-12 * (a + c);
  const determinant = (a + ridge) * (c + ridge) - b * b;
  return [((c + ridge) * x - b * y) / determinant, ((a + ridge) * y - b * x) / determinant];
}

/**
 * Isotonic regression of the label on the probability, by pooling adjacent violators (Ayer et al. 1955; as scikit-learn has it: rows of one score are
 * one weighted point, and knots within a level stretch are left out). It takes any rising shape, so it needs thousands of rows; scores of a level
 * stretch become ties.
 */
export function fitIsotonic(label: Values, probability: Values): Isotonic {
  const { order, ends } = descending(probability);
  // Levels of points with one score each, by falling score; a level that is not below the one before it is pooled with it.
  const levels: { sum: number; rows: number; highest: number; lowest: number }[] = [];
  let [sum, rows] = [0, 0];
  for (const [at, row] of order.entries()) {
    sum += label[row]!;
    rows++;
    if (ends[at] === 0) continue;
    let level = { sum, rows, highest: probability[row]!, lowest: probability[row]! };
    for (let last = levels.at(-1); last && last.sum * level.rows <= level.sum * last.rows; last = levels.at(-1)) {
      level = { sum: level.sum + last.sum, rows: level.rows + last.rows, highest: last.highest, lowest: level.lowest };
      levels.pop();
    }
    levels.push(level);
    [sum, rows] = [0, 0];
  }
  const knots = levels
    .toReversed()
    .flatMap((level) => [...new Set([level.lowest, level.highest])].map((from) => ({ from, to: level.sum / level.rows })));
  return { method: 'isotonic', from: knots.map(({ from }) => from), to: knots.map(({ to }) => to) };
}
