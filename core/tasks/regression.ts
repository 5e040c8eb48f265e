import { z } from 'zod';
import { regressionMetrics } from '../metrics/regression.ts';
import type { Task } from '../task.ts';
import { regressionFigures } from './regression-figures.ts';
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

export interface RegressionTarget {
  readonly column: string;
}

declare module '../task.ts' {
  interface TaskTypes {
    /** An answer is the prediction, in the label's unit. */
    regression: TableTask<number, keyof typeof regressionMetrics, 'constant' | 'one-feature' | 'linear', RegressionTarget>;
  }
}

/** Predicting a number from a row of a table. */
export const regression: Task<'regression'> = {
  kind: 'regression',
  words: { unit: ['row', 'rows'], does: ({ column }) => `predicts ${column}`, limits: tableLimits },
  target: z.strictObject({ column: z.string() }),
  asks: 'request',
  signature: (request) => tableSignature(request, [{ name: 'prediction', type: 'float32', dims: [-1] }]),
  metrics: regressionMetrics,
  baselines: {
    constant: { trainer: 'constant', parameters: {} },
    'one-feature': { trainer: 'one-feature', parameters: {} },
    linear: { trainer: 'linear', parameters: {} },
  },
  slices: tableSlices,
  gate: { metric: 'rmse', baselines: ['constant', 'one-feature', 'linear'] },
  exam,
  examples,
  feeds,
  together: { most: rowsTogether, feeds: feedsTogether, answers: (outputs) => Array.from(outputOf(outputs, 'prediction')) },
  answer: (_, outputs) => outputOf(outputs, 'prediction')[0]!,
  mark(sat, answers) {
    const own = marksOf(sat, answers);
    return { ...own, columns: { ...own.columns, prediction: answers }, answers, facts: {} };
  },
  figures: regressionFigures,
};
