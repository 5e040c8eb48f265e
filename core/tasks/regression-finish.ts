import { MlError } from '../errors.ts';
import type { Finishing } from '../finish.ts';
import { conformalHalfWidth } from '../metrics/conformal.ts';
import { intervalMetrics } from '../metrics/regression.ts';
import type { Tensors } from '../onnx-tensor.ts';
import { outputOf } from './table-exam.ts';

/** A prediction with the bounds between which the label is expected, in the label's unit. A type, no interface, so that it is known to be JSON. */
export type Bounded = {
  readonly prediction: number;
  readonly lower: number;
  readonly upper: number;
};

/** A number where the spec asks for no interval. */
export type RegressionAnswer = number | Bounded;

export function regressionAnswers(outputs: Tensors): readonly RegressionAnswer[] {
  const predictions = Array.from(outputOf(outputs, 'prediction'));
  if (!('lower' in outputs)) return predictions;
  const [lower, upper] = [outputOf(outputs, 'lower'), outputOf(outputs, 'upper')];
  return predictions.map((prediction, at) => ({ prediction, lower: lower[at]!, upper: upper[at]! }));
}

export function regressionColumns(answers: readonly RegressionAnswer[]): Readonly<Record<string, readonly number[]>> {
  const prediction = answers.map((answer) => (typeof answer === 'number' ? answer : answer.prediction));
  const bounded = answers.filter((answer) => typeof answer === 'object');
  return { prediction, ...(bounded.length > 0 && { lower: bounded.map(({ lower }) => lower), upper: bounded.map(({ upper }) => upper) }) };
}

const bound = (name: string) => ({ name, type: 'float32', dims: [-1] }) as const;

export const regressionFinish: Finishing = {
  parts: {
    interval: {
      outputs: [bound('lower'), bound('upper')],
      metrics: ({ coverage }) => intervalMetrics({ lower: (1 - coverage) / 2, upper: (1 + coverage) / 2 }),
    },
  },
  learn({ interval }, { units, columns }) {
    const rows = units.length;
    if (interval === undefined) return { rows };
    const { coverage } = interval;
    const least = Math.ceil(coverage / (1 - coverage) - 1e-9);
    const halfWidth = conformalHalfWidth(columns['label']!, columns['prediction']!, coverage);
    if (halfWidth < Infinity) return { rows, interval: { coverage, halfWidth } };
    throw new MlError(
      'RowsInvalid',
      `${rows} validation rows are too few for intervals that hold ${Number((100 * coverage).toPrecision(6))} % of labels: hold out at least ${least}, or lower interval.coverage`,
      { rows, coverage },
    );
  },
};
