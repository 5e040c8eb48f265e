import { z } from 'zod';
import { type intervalMetrics, regressionMetrics } from '../metrics/regression.ts';
import type { Task } from '../task.ts';
import { type RegressionAnswer, regressionAnswers, regressionColumns, regressionFinish } from './regression-finish.ts';
import { regressionFigures } from './regression-figures.ts';
import {
  exam,
  examples,
  feeds,
  feedsTogether,
  marksOf,
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
    /** An answer is the prediction, in the label's unit, with its bounds where the spec asks for an interval. */
    regression: TableTask<
      RegressionAnswer,
      keyof typeof regressionMetrics,
      'constant' | 'one-feature' | 'linear',
      RegressionTarget,
      { readonly interval: keyof ReturnType<typeof intervalMetrics> }
    >;
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
  finish: regressionFinish,
  slices: tableSlices,
  gate: { metric: 'rmse', baselines: ['constant', 'one-feature', 'linear'] },
  exam,
  examples,
  feeds,
  together: { most: rowsTogether, feeds: feedsTogether, answers: regressionAnswers },
  answer: (_, outputs) => regressionAnswers(outputs)[0]!,
  mark(sat, answers) {
    const own = marksOf(sat, answers);
    return { ...own, columns: { ...own.columns, ...regressionColumns(answers) }, answers, facts: {} };
  },
  figures: regressionFigures,
};
