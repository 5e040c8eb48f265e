import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { designOf } from './linear/design.ts';
import { linearModel } from './linear/graph.ts';
import { importanceOf } from './linear/importance.ts';
import { solutionOf } from './linear/solution.ts';
import { progressOf } from './progress.ts';
import { needRows, tableTasks } from './table-graph.ts';
import type { TableTask } from './table-graph.ts';

export interface LinearParameters {
  /**
   * Ridge penalty λ on squared weights, the intercept's excepted: scikit-learn's `alpha` of Ridge (Σ squared errors + λ·|w|²) and `1 / C` of
   * LogisticRegression (Σ log losses + λ/2·|w|²). It does not grow with the number of rows. The default suits tables with categories, whose rare
   * codes learn noise at scikit-learn's 1; beside thousands of rows it costs numbers nothing.
   */
  readonly l2: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    linear: LinearParameters;
  }
}

/**
 * Linear models: ridge regression, logistic regression of two classes, multinomial of several. Numbers are scaled, missing ones are the median and
 * say so, each code of a category has a weight of its own.
 */
export const linear: Trainer<TableTask, LinearParameters> = {
  name: 'linear',
  tasks: tableTasks,
  parameters: z.strictObject({ l2: z.number().positive().default(10) }),
  async fit(rows, parameters, context) {
    needRows(rows);
    const design = designOf(rows);
    const { weights, facts } = await solutionOf(rows, design, parameters.l2, context);
    const onnx = linearModel(rows, design, weights);
    const importance = await importanceOf(rows, design, weights, progressOf(context, 1, 1));
    const told = { importance, importanceBy: 'spread of its term in the score' };
    return { onnx, chosen: { ...parameters }, facts: { rows: rows.labels.length, columns: design.columns, ...facts, ...told } };
  },
};
