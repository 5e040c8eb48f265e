import type { z } from 'zod';
import type { Json } from './artifact.ts';
import type { RequestKind } from './encoding.ts';
import type { Figure } from './figure.ts';
import type { Finishing, FinishSpec } from './finish.ts';
import type { Tensors, TensorSignature } from './onnx-tensor.ts';

/**
 * The types of each kind of learning task. A task's file adds its own line by declaration merging:
 * `data` is what trainers fit, `question` and `answer` are one unit's exchange with a model (a user and a ranking, a row and a prediction).
 */
// oxlint-disable-next-line typescript/no-empty-interface -- tasks merge into it
export interface TaskTypes {}

export type TaskKind = keyof TaskTypes & string;

export interface TaskType {
  readonly data: unknown;
  readonly target: unknown;
  readonly question: unknown;
  readonly answer: unknown;
  readonly metric: string;
  readonly baseline: string;
  readonly slice: string;
  /** Fields of a spec that ask for more than the answer, and the metrics that each brings. */
  readonly finish: { readonly [Field in keyof FinishSpec]?: string };
  readonly finishMetric: string;
}

/** What a caller sends: an input of the model, or a key by which features are found, and its kind. */
export type Request = Readonly<Record<string, RequestKind>>;

export interface Signature {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
}

/** What held-out rows ask of a model: one question per unit. Units are what the bootstrap resamples (users, patients, rows). */
export interface Exam<Question> {
  readonly units: readonly string[];
  readonly questions: readonly Question[];
  /** Which units belong to a slice, in the order of `units`. A unit may be in several. */
  readonly slices: Readonly<Record<string, readonly boolean[]>>;
  /** What each unit belongs to (a patient, a card), in the order of `units`: a group is drawn as a whole. Without it each unit stands for itself. */
  readonly groups?: readonly string[];
  /** Of rows of a table, where no question tells what really happened: a label and a time for each unit. */
  readonly truth?: { readonly labels: Float64Array; readonly timesMs: Float64Array };
}

export interface ExamOptions {
  /** Units with fewer known rows than this are not examined. Default 0: who is new is examined too. */
  readonly minHistory?: number;
}

/** One contender's marks: a number per unit and column, in the order of `units`, plus what the whole set of answers tells (coverage). */
export interface Marks {
  readonly units: readonly string[];
  readonly columns: Readonly<Record<string, readonly number[]>>;
  readonly slices: Readonly<Record<string, readonly boolean[]>>;
  /** Answers in the order of `units`, as compact JSON. */
  readonly answers: readonly Json[];
  readonly facts: Readonly<Record<string, Json>>;
  /** As the exam's. */
  readonly groups?: readonly string[];
}

/**
 * A number that describes units, prepared once (sorted, say) and then asked for thousands of resamples. `times` says how often each unit counts, in
 * their order: a draw of the bootstrap, or 0 and 1 for a slice. Without it each counts once. NaN where units such as these have no such number.
 */
export type Measure = (times?: Int32Array) => number;

export interface Metric {
  readonly title: string;
  readonly better: 'higher' | 'lower';
  /** It describes all answers together (coverage): a resample would distort it, so it is not resampled and its interval is a point. */
  readonly whole?: true;
  /** Why it may be undefined, as in `all rows are of one class`: what a person reads where there is no number. */
  readonly undefinedWhen?: string;
  /** The measure of these marks. 0–1 unless the metric says otherwise. */
  of(marks: Marks): Measure;
}

/** How a report speaks of a kind of task, in lower case and without a full stop. */
export interface TaskWords<Target = never> {
  /** What is examined and drawn again for intervals: `user`, `users`. */
  readonly unit: readonly [one: string, many: string];
  /** What a model of this kind does for a target: `predicts minutes`. */
  does(target: Target): string;
  /** What its figures do not show, as whole sentences. */
  readonly limits: readonly string[];
}

/** A kind of learning task: one file that states its metrics, baselines, evaluation and default gate. Pure. */
export interface Task<K extends TaskKind = TaskKind> {
  readonly kind: K;
  readonly words: TaskWords<TaskTypes[K]['target']>;
  /** The spec's `target` of this kind. */
  readonly target: z.ZodType;
  /** Whether the spec says in `request` what a caller sends. Otherwise the kind itself says it. */
  readonly asks: 'request' | 'itself';
  /** What a complete model takes and gives. */
  signature(request: Request): Signature;
  readonly metrics: Readonly<Record<TaskTypes[K]['metric'], Metric>>;
  /** Obvious answers that a model must beat, as trainers with parameters. */
  readonly baselines: Readonly<Record<TaskTypes[K]['baseline'], { readonly trainer: string; readonly parameters: Json }>>;
  /** What a spec may ask besides the answer. Absent: nothing. */
  readonly finish?: Finishing;
  readonly slices: Readonly<Record<TaskTypes[K]['slice'], string>>;
  readonly gate: { readonly metric: TaskTypes[K]['metric']; readonly baselines: readonly TaskTypes[K]['baseline'][] };
  /** The exam that `heldOut` rows make for models that know `known` rows. */
  exam(known: TaskTypes[K]['data'], heldOut: TaskTypes[K]['data'], options?: ExamOptions): Exam<TaskTypes[K]['question']>;
  /** Made-up questions for golden examples: no unit's own data goes into a package. */
  examples(known: TaskTypes[K]['data'], count: number): readonly TaskTypes[K]['question'][];
  /** The tensors that put one question to a model. */
  feeds(question: TaskTypes[K]['question']): Tensors;
  /** How a model answers many questions in one run, where it can: at most so many, as `feeds` and `answer` do for one. */
  readonly together?: {
    readonly most: number;
    feeds(questions: readonly TaskTypes[K]['question'][]): Tensors;
    answers(outputs: Tensors): readonly TaskTypes[K]['answer'][];
  };
  /** What the outputs mean. `count`: how many, where an answer is a list; default as many as an exam looks at. */
  answer(question: TaskTypes[K]['question'], outputs: Tensors, count?: number): TaskTypes[K]['answer'];
  /** Marks of one contender, one for each question that counts. */
  mark(exam: Exam<TaskTypes[K]['question']>, answers: readonly TaskTypes[K]['answer'][], known: TaskTypes[K]['data']): Marks;
  /** What a report draws of an exam. By contender the marks of all folds, end to end; `challenger` is among them. */
  figures?(contenders: Readonly<Record<string, Marks>>): readonly Figure[];
}
