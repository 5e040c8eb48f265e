import type { Calibration } from './metrics/calibration.ts';
import type { Cost } from './metrics/threshold.ts';
import type { TensorSignature } from './onnx-tensor.ts';
import type { Marks, Metric, Task } from './task.ts';

/**
 * What a spec may ask of answers beyond the bare prediction. What that takes is learned from the validation rows, by a model that was chosen by them but not fitted
 * on them, and becomes part of the model: whoever reads a package has it.
 */
export interface FinishSpec {
  /** Of a regression: bounds between which the label of a new row lies with about probability `coverage`, 0–1: the exam says how often it did. */
  readonly interval?: { readonly coverage: number };
  /** Of a binary task: rows are called positive from the probability on that would have cost least. What a wrong call costs, in a unit of one's own. */
  readonly threshold?: Cost;
  /** Of a binary task: probabilities that are met. `platt` bends them by two numbers, `isotonic` by any rising line, which takes thousands of rows. */
  readonly calibration?: Calibration['method'];
}

/** What was learned. */
export interface Finish {
  /** From so many validation rows. */
  readonly rows: number;
  /** Bounds lie so far below and above a prediction, in the label's unit. */
  readonly interval?: { readonly coverage: number; readonly halfWidth: number };
  /** From a model's own probability to the one that is given. */
  readonly calibration?: Calibration;
  /** Rows with at least this probability, calibrated where it is, are called positive. */
  readonly threshold?: number;
}

/** What one field of a `FinishSpec` brings. */
export interface FinishPart<Asked> {
  /** Outputs of the model, besides those of its task. */
  readonly outputs: readonly TensorSignature[];
  /** Metrics of them, besides those of the task: floors may be of these, the gate's own metric may not, since no baseline has them. */
  metrics(asked: Asked): Readonly<Record<string, Metric>>;
}

/** What specs of a kind of task may ask. */
export interface Finishing {
  readonly parts: { readonly [Field in keyof FinishSpec]?: FinishPart<NonNullable<FinishSpec[Field]>> };
  /**
   * Learns from the marks of validation rows.
   *
   * @throws {MlError} `RowsInvalid` if they are too few, or all of one class.
   */
  learn(asked: FinishSpec, marks: Marks): Finish;
}

const fields = ['interval', 'calibration', 'threshold'] as const satisfies readonly (keyof FinishSpec)[];

/** The fields as a parsed spec has them. */
type Given = { readonly [Field in keyof FinishSpec]: FinishSpec[Field] | undefined };

/** What of a spec asks for more than the answer; `undefined` where nothing does. */
export function finishOf(spec: Given): FinishSpec | undefined {
  const asked = fields.flatMap((field) => (spec[field] === undefined ? [] : [[field, spec[field]] as const]));
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}

type Finishable = Pick<Task, 'finish'>;

/** Outputs of a model besides those of its task. */
export const outputsAsked = (task: Finishable, spec: Given): readonly TensorSignature[] => partsAsked(task, spec).flatMap(({ part }) => part.outputs);

/** The metrics of the task, and those of what the spec asks besides. */
export const metricsOf = (task: Finishable & { readonly metrics: Readonly<Record<string, Metric>> }, spec: Given): Readonly<Record<string, Metric>> =>
  Object.assign({}, task.metrics, ...partsAsked(task, spec).map(({ part, asked }) => part.metrics(asked)));

function partsAsked({ finish }: Finishable, spec: Given) {
  return fields.flatMap((field) => {
    const [part, asked] = [finish?.parts[field], spec[field]];
    return part === undefined || asked === undefined ? [] : [{ part: part as FinishPart<unknown>, asked }];
  });
}
