import type { Figure } from './figure.ts';
import type { Gain } from './registry-entry.ts';

export interface Estimate {
  readonly value: number;
  /** Bounds of the bootstrap interval at the evaluation's confidence. */
  readonly low: number;
  readonly high: number;
}

/** How one contender did on the held-out rows. */
export interface ContenderMarks {
  /** The feature that it looks at, where it looks at one only. */
  readonly feature?: string;
  readonly metrics: Readonly<Record<string, Estimate>>;
  readonly slices: Readonly<Record<string, { readonly units: number; readonly metrics: Readonly<Record<string, number>> }>>;
}

/** The content of an `evaluation` artifact. Deterministic: no clock, duration or host (latency goes to `benchmark`). */
export interface Evaluation {
  readonly format: 1;
  readonly model: string;
  readonly segment: string;
  readonly task: string;
  /** The gate's metric, in which `gains` are. */
  readonly metric: string;
  readonly confidence: number;
  readonly folds: readonly string[];
  /** Units examined (users, rows); with several folds a user counts once per fold. */
  readonly units: number;
  /** Held-out rows that a contender had seen, left out of the exam for all. */
  readonly rowsLeftOut: number;
  /** By name: `challenger`, `champion`, `anchor`, `fallback`, and the baselines by their names in the spec (`model:top-movies` as `top-movies`). */
  readonly contenders: Readonly<Record<string, ContenderMarks>>;
  readonly gains: readonly Gain[];
  /** What a report draws of the exam; absent where the kind of task has none, and before reports drew any. */
  readonly figures?: readonly Figure[];
}
