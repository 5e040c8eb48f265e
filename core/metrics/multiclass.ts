import type { Measure } from '../task.ts';
import { crossEntropy } from './binary.ts';
import { mean, ofColumns, once } from './columns.ts';
import type { Values } from './columns.ts';

// Throughout, a `label` and a `prediction` are numbers of classes, from 0.

/** The share of rows whose class was predicted. */
export const accuracy = (label: Values, prediction: Values): Measure =>
  mean(Float64Array.from(label, (value, at) => Number(value === prediction[at])));

/**
 * The mean over classes of F₁ = 2 · hits / (rows of the class + predictions of it), 0–1: a rare class counts as much as a common one. As in
 * scikit-learn, a class that is neither among these labels nor among these predictions does not count.
 */
export function macroF1(label: Values, prediction: Values): Measure {
  const [actual, predicted] = [Int32Array.from(label), Int32Array.from(prediction)];
  const classes = 1 + Math.max(highest(actual), highest(predicted));
  return (times = once(actual.length)) => {
    const [hits, meetings] = [new Float64Array(classes), new Float64Array(classes)];
    for (let at = 0; at < actual.length; at++) {
      const weight = times[at]!;
      meetings[actual[at]!]! += weight;
      meetings[predicted[at]!]! += weight;
      if (actual[at] === predicted[at]) hits[actual[at]!]! += weight;
    }
    let [sum, present] = [0, 0];
    for (let own = 0; own < classes; own++) {
      if (meetings[own] === 0) continue;
      sum += (2 * hits[own]!) / meetings[own]!;
      present++;
    }
    return sum / present;
  };
}

const highest = (values: Int32Array): number => values.reduce((most, value) => Math.max(most, value), -1);

/** Log loss in nats, from 0. `probabilities` has a row of `classes` numbers for each label. */
export const multinomialLogLoss = (label: Values, probabilities: Values, classes: number): Measure =>
  crossEntropy(Float64Array.from(label, (value, at) => probabilities[at * classes + value]!));

/** How many rows of each class (outer) were predicted to be of each class (inner). */
export function confusionMatrix(label: Values, prediction: Values, classes: number): readonly (readonly number[])[] {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (let at = 0; at < label.length; at++) counts[label[at]!]![prediction[at]!]!++;
  return counts;
}

/** Of the columns `label` and `prediction`, and `labelProbability`: the probability that was given to the label. */
export const multiclassMetrics = {
  accuracy: ofColumns('Accuracy', 'higher', ['label', 'prediction'], accuracy),
  'macro-f1': ofColumns('Macro F1', 'higher', ['label', 'prediction'], macroF1),
  'log-loss': ofColumns('Log loss', 'lower', ['labelProbability'], crossEntropy),
};
