import { MlError } from '../core/errors.ts';
import type { Examples } from '../core/examples.ts';
import { int64, model, node } from '../onnx/writer.ts';
import type { Initializer, Node } from '../onnx/writer.ts';

/** The kinds of learning task whose rows are `Examples`. */
export const tableTasks = ['regression', 'binary', 'multiclass'] as const;
export type TableTask = (typeof tableTasks)[number];

/** What the labels ask for: a number, the probability of the second class, or the probabilities of all. */
export const taskOf = ({ encoding: { classes } }: Examples): TableTask =>
  classes === undefined ? 'regression' : classes.length === 2 ? 'binary' : 'multiclass';

/** Numbers in the answer to one row. */
export const widthOf = (rows: Examples): number => (taskOf(rows) === 'multiclass' ? rows.encoding.classes!.length : 1);

/** @throws {MlError} `TrainingFailed` if there is nothing to learn from. */
export function needRows({ labels }: Examples): void {
  if (labels.length === 0) throw new MlError('TrainingFailed', 'there are 0 training rows: widen the window, or look at what the split leaves');
}

/** The output that holds the answers. */
export const answerOf = (rows: Examples): string => outputs[taskOf(rows)];

const outputs = { regression: 'prediction', binary: 'probability', multiclass: 'probabilities' } as const satisfies Record<TableTask, string>;

/**
 * Serialises what a trainer of tables learned: `nodes` make `answers` (float64, a row for each row of `features`, as wide as an answer) from the
 * encoded `features` (float32, NaN where missing). Sums are made in float64, so that the model says what was trained.
 */
export function tableModel(rows: Examples, initializers: readonly Initializer[], nodes: readonly Node[]): Uint8Array {
  const [task, width] = [taskOf(rows), widthOf(rows)];
  const many = task === 'multiclass';
  const output = outputs[task];
  return model({
    name: 'table',
    inputs: [{ name: 'features', type: 'float32', dims: [-1, rows.encoding.features.length] }],
    outputs: [{ name: output, type: 'float32', dims: many ? [-1, width] : [-1] }],
    initializers: [...initializers, ...(many ? [] : [int64('answer-axis', [1])])],
    nodes: [
      ...nodes,
      node('Cast', ['answers'], many ? output : 'answers-column', { to: 1 }),
      ...(many ? [] : [node('Squeeze', ['answers-column', 'answer-axis'], output)]),
    ],
  });
}
