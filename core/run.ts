import type { Artifact } from './artifact.ts';
import type { Decision } from './decision.ts';
import type { Window } from './manifest.ts';
import type { ModelSpec } from './model-spec.ts';
import type { Verdict } from './registry-entry.ts';

/** Why a run was started. */
export type Trigger = 'manual' | 'schedule' | 'backfill' | 'demo';

/** Sources that were read and kept their promises. */
export interface SourcesRead {
  readonly snapshots: Readonly<Record<string, Artifact<'source'>>>;
  /** Source name → fingerprint of what was observed. */
  readonly observed: Readonly<Record<string, string>>;
  readonly contract: Artifact<'contract'>;
}

/** The input of the `train` workflow. */
export interface TrainRequest {
  readonly spec: ModelSpec;
  readonly segment?: string;
  /** Overrides the spec's window. */
  readonly window?: Window;
  readonly trigger?: Trigger;
  /** Who asked, as far as we know: it goes into the registry log. */
  readonly by?: string;
  /** What a backfill of many segments has read for all of them: the run reads no source itself. */
  readonly read?: SourcesRead;
}

/** How a training run ended. A business "no" is a value, not an error. */
export type TrainOutcome =
  | {
      readonly outcome: 'unchanged';
      readonly model: string;
      readonly segment: string;
      /** The version that this training would have made again. */
      readonly version: number;
      readonly reason: string;
    }
  | {
      /** `promoted` versions are served; `rejected` ones stay in the log with the verdict; of the others people decide, and this run did not wait. */
      readonly outcome: 'promoted' | 'rejected' | 'awaiting-decision';
      readonly model: string;
      readonly segment: string;
      readonly version: number;
      readonly package: Artifact<'package'>;
      readonly evaluation: Artifact<'evaluation'>;
      readonly report: Artifact<'report'>;
      readonly verdict: Verdict;
      readonly window: Window;
    };

/** The decision that stands in the log. */
export interface Standing {
  readonly decision: Decision;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  readonly entry: number;
  /** Whether it is the one that was asked for. Somebody else may have been faster: the log is the truth. */
  readonly own: boolean;
  readonly verdict: Verdict;
  /** What became of it already: a decision that is heard of again brings nothing twice. */
  readonly since: 'promoted' | 'rejected' | null;
}

/** What became of a version that awaited a decision. Approved and yet `rejected` is one that lost against a champion that came meanwhile. */
export interface DecideOutcome {
  readonly outcome: 'promoted' | 'rejected' | 'expired' | 'superseded';
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  readonly decision: Decision;
  readonly by: string;
  readonly reason: string;
  /** Number of the decision's entry in the log. */
  readonly entry: number;
}

/** The input of the `retrain` workflow: it trains by the spec that was applied last. */
export interface RetrainRequest {
  readonly model: string;
  /** Default: every segment of the applied spec. */
  readonly segments?: readonly string[];
}

/** How a retraining ended, by segment. */
export interface RetrainOutcome {
  /** `busy`: what is new is being trained by another run already; this one trained nothing. */
  readonly outcome: 'retrained' | 'busy' | 'nothing-new';
  readonly model: string;
  readonly segments: Readonly<Record<string, TrainOutcome | { readonly outcome: 'nothing-new' | 'busy' | 'failed'; readonly reason: string }>>;
}

/** The input of the `backfill` workflow: one training for each window and segment. */
export interface BackfillRequest {
  readonly spec: ModelSpec;
  readonly windows: readonly (Window | null)[];
  readonly segments: readonly string[];
  /** How many segments train at the same time. Default 2. */
  readonly concurrency?: number;
  /** Where a continued backfill goes on. */
  readonly cursor?: { readonly done: readonly BackfillResult[] };
}

/** What one training of a backfill came to. */
export interface BackfillResult {
  readonly segment: string;
  readonly window: Window | null;
  /** As a training's own, or `failed`, or `busy` when another run trains the segment. */
  readonly outcome: string;
  readonly version?: number;
  readonly reason?: string;
}

/** One step of a run as the `progress` query tells it. */
export interface StepProgress {
  readonly step: string;
  readonly summary: string;
  readonly state: 'running' | 'done' | 'failed';
}

/** What a run answers to the `progress` query. */
export interface RunProgress {
  readonly steps: readonly StepProgress[];
  readonly headline: string;
}

/** Steps of the runtime, not of the story that a run tells: neither its progress nor lineage events speak of them. */
export const runtimeSteps: ReadonlySet<string> = new Set(['archiveRun', 'sweepRuns']);
