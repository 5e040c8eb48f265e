import { blockRows } from './design.ts';

/** A loss of rows. The scores of a block are class after class, `blockRows` apart. */
export interface Loss {
  /** Turns scores into residuals (prediction less label) and returns the sum of the rows' losses. */
  derive(scores: Float64Array, labels: Float64Array): number;
  /** How strongly the loss of each row bends: the Hessian of two classes; of more, about as much in the direction of each. */
  bend(scores: Float64Array, into: Float64Array, rows: number): void;
}

/** Half the squared error. */
export const squared: Loss = {
  derive(scores, labels) {
    let loss = 0;
    for (let row = 0; row < labels.length; row++) {
      scores[row]! -= labels[row]!;
      loss += scores[row]! ** 2 / 2;
    }
    return loss;
  },
  bend: (_scores, into) => into.fill(1),
};

/** −log σ(±score). */
export const logistic: Loss = {
  derive(scores, labels) {
    let loss = 0;
    for (let row = 0; row < labels.length; row++) {
      const score = scores[row]!;
      // The exponential of a negative number does not overflow.
      const small = Math.exp(-Math.abs(score));
      loss += Math.log1p(small) + (labels[row] === 1 ? Math.max(-score, 0) : Math.max(score, 0));
      scores[row] = (score > 0 ? 1 : small) / (1 + small) - labels[row]!;
    }
    return loss;
  },
  bend(scores, into, rows) {
    for (let row = 0; row < rows; row++) {
      const small = Math.exp(-Math.abs(scores[row]!));
      into[row] = small / (1 + small) ** 2;
    }
  },
};

/** −log of the softmax at the label's class. */
export const softmax = (classes: number): Loss => ({
  derive(scores, labels) {
    let loss = 0;
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      const score = scores[label * blockRows + row]!;
      loss += toProbabilities(scores, row, classes) - score;
      scores[label * blockRows + row]! -= 1;
    }
    return loss;
  },
  bend(scores, into, rows) {
    for (let row = 0; row < rows; row++) {
      toProbabilities(scores, row, classes);
      let sum = 0;
      for (let k = 0; k < classes; k++) sum += scores[k * blockRows + row]! * (1 - scores[k * blockRows + row]!);
      into[row] = sum / 2;
    }
  },
});

/** Returns the logarithm of the sum of the scores' exponentials. */
function toProbabilities(scores: Float64Array, row: number, classes: number): number {
  let highest = -Infinity;
  for (let k = 0; k < classes; k++) highest = Math.max(highest, scores[k * blockRows + row]!);
  let total = 0;
  for (let k = 0; k < classes; k++) {
    const power = Math.exp(scores[k * blockRows + row]! - highest);
    scores[k * blockRows + row] = power;
    total += power;
  }
  for (let k = 0; k < classes; k++) scores[k * blockRows + row]! /= total;
  return highest + Math.log(total);
}
