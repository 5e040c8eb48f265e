import { z } from 'zod';
import { binaryMetrics, precisionAt } from '../metrics/binary.ts';
import { cardPrecisionAt } from '../metrics/card-precision.ts';
import type { callMetrics } from '../metrics/calls.ts';
import type { Task } from '../task.ts';
import { type BinaryAnswer, binaryAnswers, binaryColumns, binaryFinish, type calibrationMetrics } from './binary-finish.ts';
import { binaryFigures } from './binary-figures.ts';
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

export interface BinaryTarget {
  readonly column: string;
  /** The class that probabilities are of, where the column is no flag. Default: the later of the two in the order of their text. */
  readonly positive?: string;
}

const metrics = { ...binaryMetrics, 'precision@100': precisionAt(100), 'card-precision@100': cardPrecisionAt(100) };

declare module '../task.ts' {
  interface TaskTypes {
    /** An answer is the probability of the positive class, 0–1, and whether the row is called so where the spec asks for a threshold. */
    binary: TableTask<
      BinaryAnswer,
      keyof typeof metrics,
      'constant' | 'one-feature' | 'logistic',
      BinaryTarget,
      { readonly threshold: keyof ReturnType<typeof callMetrics>; readonly calibration: keyof typeof calibrationMetrics }
    >;
  }
}

/** Telling from a row of a table how probable one of two classes is. */
export const binary: Task<'binary'> = {
  kind: 'binary',
  words: {
    unit: ['row', 'rows'],
    does: ({ column, positive }) => `tells how probable it is that ${column} is ${positive ?? 'true'}`,
    limits: [...tableLimits, 'A probability speaks of many rows like one, not of that one; what to do at which probability is for people to decide.'],
  },
  target: z.strictObject({ column: z.string(), positive: z.string().optional() }),
  asks: 'request',
  signature: (request) => tableSignature(request, [{ name: 'probability', type: 'float32', dims: [-1] }]),
  metrics,
  baselines: {
    constant: { trainer: 'constant', parameters: {} },
    'one-feature': { trainer: 'one-feature', parameters: {} },
    logistic: { trainer: 'linear', parameters: {} },
  },
  finish: binaryFinish,
  slices: tableSlices,
  gate: { metric: 'average-precision', baselines: ['constant', 'one-feature', 'logistic'] },
  exam,
  examples,
  feeds,
  together: { most: rowsTogether, feeds: feedsTogether, answers: binaryAnswers },
  answer: (_, outputs) => binaryAnswers(outputs)[0]!,
  mark(sat, answers) {
    const own = marksOf(sat, answers);
    const { group, ...columns } = own.columns;
    // Where rows name no card (`rows.group`), each would be one of its own, which no investigator looks at.
    return { ...own, columns: { ...columns, ...(sat.groups && { card: group! }), ...binaryColumns(answers) }, answers, facts: {} };
  },
  figures: binaryFigures,
};
