import { z } from 'zod';
import { MlError } from '../core/errors.ts';
import type { Examples } from '../core/examples.ts';
import type { Trainer } from '../core/trainer.ts';
import { float64, int64, node } from '../onnx/writer.ts';
import { needRows, tableModel, tableTasks, taskOf, widthOf } from './table-graph.ts';
import type { TableTask } from './table-graph.ts';

export interface ConstantParameters {
  /** The median is the best constant by absolute error, the mean by all other measures. */
  readonly statistic: 'mean' | 'median';
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    constant: ConstantParameters;
  }
}

/** The same answer to every row: the mean label, the share of the second class, or of each. */
export const constant: Trainer<TableTask, ConstantParameters> = {
  name: 'constant',
  tasks: tableTasks,
  parameters: z.strictObject({ statistic: z.enum(['mean', 'median']).default('mean') }),
  async fit(rows, parameters, context) {
    needRows(rows);
    const answer = parameters.statistic === 'median' ? medianOf(rows) : meanOf(rows);
    await context.progress(1, 1);
    const onnx = tableModel(
      rows,
      [float64('answer', answer, [1, answer.length]), int64('one', [1])],
      [
        node('Shape', ['features'], 'row-count', { start: 0, end: 1 }),
        node('Concat', ['row-count', 'one'], 'shape', { axis: 0 }),
        node('Expand', ['answer', 'shape'], 'answers'),
      ],
    );
    return { onnx, chosen: { ...parameters }, facts: { rows: rows.labels.length, answer: [...answer] } };
  },
};

function meanOf(rows: Examples): Float64Array {
  const sums = new Float64Array(widthOf(rows));
  if (sums.length > 1) for (const label of rows.labels) sums[label]!++;
  else for (const label of rows.labels) sums[0]! += label;
  return sums.map((sum) => sum / rows.labels.length);
}

function medianOf(rows: Examples): Float64Array {
  if (taskOf(rows) !== 'regression') {
    throw new MlError('TrainingFailed', 'classes have no median: use `statistic: "mean"`, the share of each class');
  }
  const sorted = rows.labels.toSorted();
  const middle = sorted.length >>> 1;
  return Float64Array.of(sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2);
}
