import type { Loss } from './options.ts';
import type { Feature } from './table.ts';

/**
 * A tree as lists by split. Children that are leaves are the complements (`~`) of their places in `values`; a tree without splits is its one value.
 */
export interface Tree {
  readonly feature: readonly number[];
  /** A float32 number: values up to it go left. Not used where there are `levels`. */
  readonly threshold: readonly number[];
  /** Whether a missing number goes left. */
  readonly missingLeft: readonly boolean[];
  /** Levels of a category that go left, ascending; all others, missing and unseen ones too, go right. `null` for a number. */
  readonly levels: readonly (readonly number[] | null)[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** What the split lowered the loss by, on the derivatives' quadratic approximation. */
  readonly gain: readonly number[];
  /** Training rows that came to the split. */
  readonly rows: readonly number[];
  readonly values: readonly number[];
}

/** A fitted forest. Scores of output `k` are `base[k]` and the values of trees `k`, `k + outputs`, …, in that order. */
export interface Forest {
  readonly loss: Loss;
  readonly features: number;
  readonly outputs: number;
  readonly base: readonly number[];
  readonly trees: readonly Tree[];
}

/** Raw scores of rows, by output: log odds, logarithms of rates, log probabilities but for a constant, or the prediction itself. */
export function scoresOf(forest: Forest, features: readonly Feature[]): Float64Array[] {
  const columns = features.map(({ values }) => (values instanceof Float32Array ? values : Float32Array.from(values)));
  const scores = forest.base.map((base) => new Float64Array(columns[0]!.length).fill(base));
  forest.trees.forEach((tree, at) => addTree(tree, columns, scores[at % forest.outputs]!));
  return scores;
}

/** Predictions of rows, by output: means, rates, quantiles; the probability of 1; or the probability of each class. */
export function predict(forest: Forest, features: readonly Feature[]): Float64Array[] {
  const scores = scoresOf(forest, features);
  switch (forest.loss.name) {
    case 'logistic':
      return scores.map((score) => score.map((value) => 1 / (1 + Math.exp(-value))));
    case 'poisson':
      return scores.map((score) => score.map(Math.exp));
    case 'softmax':
      return softmaxInPlace(scores);
    case 'squared':
    case 'absolute':
    case 'quantile':
      return scores;
  }
}

function softmaxInPlace(scores: Float64Array[]): Float64Array[] {
  for (let row = 0; row < scores[0]!.length; row++) {
    const most = Math.max(...scores.map((score) => score[row]!));
    let sum = 0;
    for (const score of scores) sum += score[row] = Math.exp(score[row]! - most);
    for (const score of scores) score[row]! /= sum;
  }
  return scores;
}

/** Adds a tree's values to the scores of rows. */
export function addTree(tree: Tree, columns: readonly Float32Array[], scores: Float64Array): void {
  if (tree.feature.length === 0) {
    for (let row = 0; row < scores.length; row++) scores[row]! += tree.values[0]!;
    return;
  }
  const used = tree.feature.map((feature) => columns[feature]!);
  const levels = tree.levels.map((each) => each && new Set(each));
  const thresholds = Float32Array.from(tree.threshold);
  const missingLeft = Uint8Array.from(tree.missingLeft, Number);
  const [left, right] = [Int32Array.from(tree.left), Int32Array.from(tree.right)];
  for (let row = 0; row < scores.length; row++) {
    let split = 0;
    while (split >= 0) {
      const value = used[split]![row]!;
      const set = levels[split];
      const goesLeft = set ? set.has(value) : value <= thresholds[split]! || (value !== value && missingLeft[split] === 1);
      split = goesLeft ? left[split]! : right[split]!;
    }
    scores[row]! += tree.values[~split]!;
  }
}

/** How much each feature was used: the summed gain of its splits, and their number. */
export function importance({ features, trees }: Forest): { readonly gain: Float64Array; readonly splits: Int32Array } {
  const gain = new Float64Array(features);
  const splits = new Int32Array(features);
  for (const tree of trees) {
    tree.feature.forEach((feature, split) => {
      gain[feature]! += tree.gain[split]!;
      splits[feature]! += 1;
    });
  }
  return { gain, splits };
}
