import type { z } from 'zod';
import type { Json } from './artifact.ts';
import type { TaskKind, TaskTypes } from './task.ts';
import type { RunScript } from './train-script.ts';

/**
 * The parameters of each trainer, by its name. A trainer's file adds its own line:
 * `declare module '../core/trainer.ts' { interface TrainerParameters { ease: EaseParameters } }`.
 */
// oxlint-disable-next-line typescript/no-empty-interface -- trainers merge into it
export interface TrainerParameters {}

export type TrainerName = keyof TrainerParameters & string;

/** An algorithm that turns encoded rows into a self-contained ONNX model. Deterministic: same data, parameters and seed, same bytes. */
export interface Trainer<K extends TaskKind = TaskKind, P = unknown> {
  readonly name: string;
  /** The kinds of learning task that it serves. */
  readonly tasks: readonly K[];
  /** Parses and completes the parameters of a spec; defaults are written out. */
  readonly parameters: z.ZodType<P>;
  /** The name of the script that does the work, where one does: its content is part of what a model is made from. */
  script?(parameters: P): string;
  /** Fits a model on rows that are encoded already, deterministically. */
  /** `heldOut`: the validation rows, for a trainer that looks at them after each round; given with `context.validate`. */
  fit(data: TaskTypes[K]['data'], parameters: P, context: TrainingContext, heldOut?: TaskTypes[K]['data']): Promise<Fitted>;
}

/** What a trainer may use of the world: to say how far it is, and to go on where it was killed. */
export interface TrainingContext {
  /** Check it between batches, so that a cancelled run stops within a second. */
  readonly signal: AbortSignal;
  readonly seed: number;
  /** Reports progress, and a point of the learning curve where `metrics` are given. Awaiting it lets messages out and the signal in. */
  progress(done: number, total: number, metrics?: Readonly<Record<string, number>>): Promise<void>;
  /**
   * The gate's metric of a candidate model on the validation rows, by ONNX Runtime. Given only while choices are made. A trainer that chooses
   * (epochs, mixing weights) returns the choice in `Fitted.chosen`; fitted with those parameters and without `validate`, it chooses nothing.
   */
  readonly validate?: (onnx: Uint8Array) => Promise<number>;
  /** What an earlier attempt of this very fit saved last, so that a killed training goes on in the middle. */
  readonly checkpoint: {
    /** `undefined` where no attempt saved any. */
    load(): Promise<Uint8Array | undefined>;
    /** Replaces what was saved before. */
    save(bytes: Uint8Array): Promise<void>;
  };
  /** Given to a trainer whose `script` names one. */
  readonly runScript?: RunScript;
}

/** A trained model, and what was chosen on the way. */
export interface Fitted {
  /**
   * A serialised ONNX ModelProto with the outputs of its task (`Task.signature`), and its inputs; for rows of a table the core of one, whose one input is
   * `features`, float32 `[batch, features]`: the encoding becomes part of the model afterwards.
   */
  readonly onnx: Uint8Array;
  /** The parameters with every choice written out. */
  readonly chosen: Json;
  /**
   * Facts worth keeping (rows used, neighbours kept, iterations); deterministic, so no durations. Reports show `summary`, a line of text, and
   * `importance`, a number for each feature, with what it is measured by, `importanceBy`: any trainer may tell them, a script too.
   */
  readonly facts: Readonly<Record<string, Json>>;
}

/** One point of a learning curve. */
export interface CurvePoint {
  readonly done: number;
  readonly total: number;
  readonly metrics: Readonly<Record<string, number>>;
}
