import type { Json } from '../core/artifact.ts';
import type { Evaluation } from '../core/evaluation.ts';
import type { Window } from '../core/manifest.ts';
import type { SplitSpec } from '../core/model-spec.ts';
import type { Verdict } from '../core/registry-entry.ts';
import type { TaskWords } from '../core/task.ts';
import type { CurvePoint } from '../core/trainer.ts';

/**
 * All that a report tells. No clock or host is in it, so that the same version has the same report, byte for byte.
 * What is optional is left out of the page where it is absent.
 */
export interface ReportInput {
  readonly model: string;
  readonly segment: string;
  /** Known once the version is registered; a report is usually made before. */
  readonly version?: number;
  readonly task: string;
  readonly words: ReportWords;
  readonly window: Window;
  readonly trainer: { readonly name: string; readonly parameters: Json };
  readonly evaluation: Evaluation;
  readonly verdict: Verdict;
  /** The task's titles and directions; a metric without them is shown by its name, higher as better. */
  readonly metrics?: Readonly<Record<string, MetricTitle>>;
  readonly candidates?: readonly Candidate[];
  readonly curve?: readonly CurvePoint[];
  readonly floors?: readonly Floor[];
  readonly split?: SplitSpec;
  readonly refit?: 'all' | 'none';
  /** Counts by part, all of them first: `{ rows: 100_836, train: 94_736, validation: 3_050, test: 3_050 }`. */
  readonly rows?: Readonly<Record<string, number>>;
  /** The content of the `profile` artifact. */
  readonly profile?: Json;
  /** The content of the `contract` artifact. */
  readonly contract?: Json;
  /** By contender, `challenger` too: what it is, where its training is known. */
  readonly who?: Readonly<Record<string, Origin>>;
  /** What a unit belongs to, where units of one are drawn together: the name of the column. */
  readonly group?: string;
  readonly importance?: Importance;
  /** What the version can be traced by: the run's id, digests. */
  readonly lineage?: Readonly<Record<string, string>>;
  /** What the model is for, in a sentence or two of its owner's. */
  readonly intendedUse?: string;
}

/** The words of the kind of task, for this target: `predicts minutes`. */
export interface ReportWords extends Pick<TaskWords, 'unit' | 'limits'> {
  readonly does: string;
}

export interface Origin {
  readonly trainer: string;
  readonly parameters: Json;
  /** What else the trainer says of it, in a line. */
  readonly summary?: string;
}

/** How much of the answers each feature decides, in whatever unit the trainer measures it. */
export interface Importance {
  /** What it is measured by: `gain of the splits`. */
  readonly by?: string;
  readonly features: Readonly<Record<string, number>>;
}

export interface MetricTitle {
  readonly title: string;
  readonly better: 'higher' | 'lower';
}

/** One fit among those that the choice was made from, with the gate's metric on the validation rows. */
export interface Candidate {
  readonly trainer: string;
  readonly parameters: Json;
  readonly value: number;
  readonly chosen: boolean;
}

/** The least that a slice must reach. `slice` may be `all`. */
export interface Floor {
  readonly slice: string;
  readonly metric: string;
  readonly min: number;
  /** With fewer units the floor is not judged. Default 20. */
  readonly minUnits?: number;
}
