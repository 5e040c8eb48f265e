import type { Loss } from './options.ts';
import { quantileOf, weightedQuantileOf } from './quantile.ts';

// A global is looked up anew at each call in a sandbox, and these are called for every row.
const { abs, exp, log, max } = Math;

type Values = Float32Array | Float64Array;

/** Labels, weights and scores of the rows. Scores of output `k` start at `k * stride`. */
export interface Scored {
  readonly labels: Float64Array;
  readonly weights: Float64Array | undefined;
  readonly scores: Float64Array;
  readonly stride: number;
}

/** What a loss is to boosting (Friedman 2001): where to start, and its derivatives by the scores. */
export interface Objective {
  /** Scores of a row. */
  readonly outputs: number;
  /** Every row's hessian is 1 (times its weight). */
  readonly unitHessian: boolean;
  /** Leaves take this quantile of their rows' residuals: the derivatives say only on which side a row is. */
  readonly refit?: number;
  /** The constant scores that fit best. */
  base(labels: Values, weights: Values | undefined): number[];
  /** First and second derivatives of the rows `from` to `to`, an output's `stride` after the one's before. @returns the rows' summed loss. */
  derive(
    rows: Scored,
    from: number,
    to: number,
    into: { readonly gradients: Float32Array; readonly hessians: Float32Array; readonly stride: number },
  ): number;
  /** The summed loss of the rows `from` to `to`. */
  total(rows: Scored, from: number, to: number): number;
  /** @returns why a label will not do. */
  refuses(label: number): string | undefined;
}

export function objectiveOf(loss: Loss): Objective {
  if (loss.name === 'softmax') return softmax(loss.classes);
  if (loss.name === 'quantile') return pinball(loss.alpha, 1);
  // Half the absolute error has the same minimum; the metric is the whole.
  return loss.name === 'absolute' ? pinball(0.5, 2) : single[loss.name];
}

/** A loss with one score: its value and derivatives at a score and a label. */
interface Single {
  readonly unitHessian: boolean;
  readonly refit?: number;
  base(labels: Values, weights: Values | undefined): number;
  /** What the other functions share, computed once: the exponential, if there is one. */
  power(score: number): number;
  loss(score: number, label: number, power: number): number;
  gradient(score: number, label: number, power: number): number;
  hessian(power: number): number;
  refuses?(label: number): string | undefined;
}

function ofOne({ base, power, loss, gradient, hessian, refuses, ...rest }: Single): Objective {
  return {
    ...rest,
    outputs: 1,
    base: (labels, weights) => [base(labels, weights)],
    derive({ labels, weights, scores }, from, to, { gradients, hessians }) {
      let total = 0;
      for (let row = from; row < to; row++) {
        const weight = weights ? weights[row]! : 1;
        const score = scores[row]!;
        const label = labels[row]!;
        const shared = power(score);
        gradients[row] = weight * gradient(score, label, shared);
        if (!rest.unitHessian) hessians[row] = weight * hessian(shared);
        else if (weights) hessians[row] = weight;
        total += weight * loss(score, label, shared);
      }
      return total;
    },
    total({ labels, weights, scores }, from, to) {
      let total = 0;
      for (let row = from; row < to; row++) {
        const score = scores[row]!;
        total += (weights ? weights[row]! : 1) * loss(score, labels[row]!, power(score));
      }
      return total;
    },
    refuses: (label) => (Number.isFinite(label) ? refuses?.(label) : 'is not a number'),
  };
}

const squared = ofOne({
  unitHessian: true,
  base: mean,
  power: () => 1,
  loss: (score, label) => (score - label) * (score - label),
  // The derivative of half the square, so that the hessian is 1.
  gradient: (score, label) => score - label,
  hessian: () => 1,
});

/** Cross-entropy of a sigmoid, by the exponential of the score's negative size: never above 1, so nothing overflows. */
const logistic = ofOne({
  unitHessian: false,
  base: (labels, weights) => logit(mean(labels, weights)),
  power: (score) => exp(-abs(score)),
  loss: (score, label, power) => log(1 + power) + (score > 0 ? score : 0) - label * score,
  gradient: (score, label, power) => (score > 0 ? 1 : power) / (1 + power) - label,
  hessian: (power) => power / ((1 + power) * (1 + power)),
  refuses: (label) => (label === 0 || label === 1 ? undefined : 'is neither 0 nor 1'),
});

/** Widens the hessian as LightGBM's `poisson_max_delta_step` does, for steps that do not overshoot. */
const poissonSlack = exp(0.7);

const poisson = ofOne({
  unitHessian: false,
  base: (labels, weights) => log(max(mean(labels, weights), 1e-15)),
  power: exp,
  loss: (score, label, power) => power - label * score,
  gradient: (_, label, power) => power - label,
  hessian: (power) => power * poissonSlack,
  refuses: (label) => (label >= 0 ? undefined : 'is negative'),
});

const single = { squared, logistic, poisson };

/** Pinball loss (Koenker & Bassett 1978), times `scale`: its minimum is the `alpha` quantile. */
const pinball = (alpha: number, scale: number): Objective =>
  ofOne({
    unitHessian: true,
    refit: alpha,
    base: (labels, weights) =>
      weights ? weightedQuantileOf(Float64Array.from(labels), weights, alpha) : quantileOf(Float64Array.from(labels), alpha),
    power: () => 1,
    loss: (score, label) => scale * (label > score ? alpha * (label - score) : (1 - alpha) * (score - label)),
    gradient: (score, label) => scale * (score >= label ? 1 - alpha : -alpha),
    hessian: () => 1,
  });

/** Cross-entropy of `classes` scores. The hessian's factor K / (K − 1) undoes that one score of K is redundant (Friedman 2001, algorithm 6). */
function softmax(classes: number): Objective {
  const factor = classes / (classes - 1);
  const probabilities = new Float64Array(classes);
  /** Fills `probabilities`. @returns the loss of the row. */
  function fill({ labels, scores, stride }: Scored, row: number): number {
    let most = -Infinity;
    for (let k = 0; k < classes; k++) most = max(most, scores[k * stride + row]!);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += probabilities[k] = exp(scores[k * stride + row]! - most);
    for (let k = 0; k < classes; k++) probabilities[k]! /= sum;
    return log(sum) + most - scores[labels[row]! * stride + row]!;
  }
  return {
    outputs: classes,
    unitHessian: false,
    base(labels, weights) {
      const shares = Array.from({ length: classes }, (_, k) =>
        mean(
          Float64Array.from(labels, (label) => (label === k ? 1 : 0)),
          weights,
        ),
      );
      return shares.map((share) => log(max(share, 1e-15)));
    },
    derive(scored, from, to, { gradients, hessians, stride }) {
      let total = 0;
      for (let row = from; row < to; row++) {
        const weight = scored.weights ? scored.weights[row]! : 1;
        total += weight * fill(scored, row);
        for (let k = 0; k < classes; k++) {
          const p = probabilities[k]!;
          gradients[k * stride + row] = weight * (p - (scored.labels[row] === k ? 1 : 0));
          hessians[k * stride + row] = weight * factor * p * (1 - p);
        }
      }
      return total;
    },
    total(scored, from, to) {
      let total = 0;
      for (let row = from; row < to; row++) total += (scored.weights ? scored.weights[row]! : 1) * fill(scored, row);
      return total;
    },
    refuses: (label) => (Number.isInteger(label) && label >= 0 && label < classes ? undefined : `is not a class from 0 to ${classes - 1}`),
  };
}

function mean(values: Values, weights: Values | undefined): number {
  let [sum, weight] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    const w = weights ? weights[at]! : 1;
    sum += w * values[at]!;
    weight += w;
  }
  return sum / weight;
}

/** Finite even where all labels are equal. */
function logit(share: number): number {
  const p = Math.min(max(share, 1e-15), 1 - 1e-15);
  return log(p / (1 - p));
}
