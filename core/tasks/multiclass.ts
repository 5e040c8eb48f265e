import { z } from 'zod';
import { MlError } from '../errors.ts';
import { multiclassMetrics } from '../metrics/multiclass.ts';
import type { Tensors } from '../onnx-tensor.ts';
import type { Task } from '../task.ts';
import { multiclassFigures } from './multiclass-figures.ts';
import {
  exam,
  examples,
  feeds,
  feedsTogether,
  marksOf,
  outputOf,
  rowsTogether,
  tableLimits,
  type TableTask,
  tableSignature,
  tableSlices,
} from './table-exam.ts';

export interface MulticlassTarget {
  readonly column: string;
}

declare module '../task.ts' {
  interface TaskTypes {
    /** An answer is the probability of each class, in the order of `encoding.classes`; they sum to 1. */
    multiclass: TableTask<
      readonly number[],
      keyof typeof multiclassMetrics,
      'constant' | 'one-feature' | 'linear',
      MulticlassTarget,
      Record<never, never>
    >;
  }
}

/** Telling from a row of a table which of several classes it is of. */
export const multiclass: Task<'multiclass'> = {
  kind: 'multiclass',
  words: { unit: ['row', 'rows'], does: ({ column }) => `tells how probable each ${column} is`, limits: tableLimits },
  target: z.strictObject({ column: z.string() }),
  asks: 'request',
  signature: (request) => tableSignature(request, [{ name: 'probabilities', type: 'float32', dims: [-1, -1] }]),
  metrics: multiclassMetrics,
  baselines: {
    constant: { trainer: 'constant', parameters: {} },
    'one-feature': { trainer: 'one-feature', parameters: {} },
    linear: { trainer: 'linear', parameters: {} },
  },
  slices: tableSlices,
  gate: { metric: 'log-loss', baselines: ['constant', 'one-feature', 'linear'] },
  exam,
  examples,
  feeds,
  together: { most: rowsTogether, feeds: feedsTogether, answers: probabilitiesOf },
  answer: (_, outputs) => probabilitiesOf(outputs)[0]!,
  mark(sat, answers, { encoding }) {
    const own = marksOf(sat, answers);
    const labels = own.columns['label']!;
    return {
      ...own,
      columns: {
        ...own.columns,
        prediction: answers.map((probabilities) => probabilities.indexOf(Math.max(...probabilities))),
        // A model that was fitted before a class came gives it no probability.
        labelProbability: answers.map((probabilities, at) => probabilities[labels[at]!] ?? 0),
      },
      answers,
      facts: { classes: encoding.classes! },
    };
  },
  figures: multiclassFigures,
};

function probabilitiesOf(outputs: Tensors): readonly (readonly number[])[] {
  const data = outputOf(outputs, 'probabilities');
  const [rows = 0, classes = 0] = outputs['probabilities']!.dims;
  if (rows * classes !== data.length) throw new MlError('ModelInvalid', '"probabilities" has a row of probabilities for each row');
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * classes, (row + 1) * classes)));
}
