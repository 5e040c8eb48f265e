import type { Artifact } from './artifact.ts';
import type { Approval, Decision, Head, Proof } from './decision.ts';
import type { Window } from './manifest.ts';

export type VerdictName = 'better' | 'not-worse' | 'worse' | 'below-floor' | 'beaten-by-baseline' | 'leak-suspected' | 'not-comparable';

/** How a challenger fared: the name, the reasons in words, and every figure that they rest on. */
export interface Verdict {
  readonly name: VerdictName;
  readonly reasons: readonly string[];
  readonly metric: string;
  readonly value: number;
  readonly gains: readonly Gain[];
}

/** The paired difference of a metric, challenger minus `over`, signed so that above zero is better; the interval is at the gate's confidence. */
export interface Gain {
  readonly metric: string;
  readonly over: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface RegisteredVersion {
  readonly package: Artifact<'package'>;
  readonly window: Window;
  /** The window that was asked for, as a backfill does. Without it the version is of the spec's own window, and `retrain` goes by it. */
  readonly asked?: Window;
  readonly rows: number;
  /** Source name → fingerprint of the observation that the rows were made from: what `retrain` compares to see whether anything is new. */
  readonly observed: Readonly<Record<string, string>>;
  readonly spec: Artifact<'spec'>;
  readonly evaluation: Artifact<'evaluation'>;
  readonly report: Artifact<'report'>;
  /** The model that sat the exam: fitted without the test rows. It is what a later challenger is compared with. */
  readonly examined: Artifact<'model'>;
  readonly examinedItems: Artifact<'preprocessor'>;
  /** The rows and the split whose `train` and `validation` parts the examined model has seen. */
  readonly seen: { readonly rows: Artifact<'rows'>; readonly splits: readonly Artifact<'split'>[] };
  readonly history?: Artifact<'snapshot'>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly baselines: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** One verdict on a version. It may be judged again, when the champion changed before it could be promoted: the last judgement counts. */
export interface Judgement {
  readonly version: number;
  readonly verdict: Verdict;
  readonly against: number | null;
  /** What the verdict rests on. */
  readonly exam?: Pick<RegisteredVersion, 'evaluation' | 'report' | 'metrics' | 'baselines'>;
  /** Who must agree before it may be promoted. */
  readonly approval?: Approval;
}

/** The one decision about a version that awaited it; the entry's `by` is who made it. */
export interface Ruling {
  readonly version: number;
  readonly decision: Decision;
  readonly package: string;
  readonly evaluation: string;
  readonly expect: number | null;
  readonly reason: string;
  readonly proof?: Proof;
}

/** What an entry does. Deterministic (no clock, no nonce), so that a retried writer finds its own entry and adopts it. */
export type Command =
  | { readonly kind: 'applied'; readonly spec: Artifact<'spec'> }
  | { readonly kind: 'registered'; readonly version: number; readonly registered: RegisteredVersion }
  | ({ readonly kind: 'judged' } & Judgement)
  | ({ readonly kind: 'decided' } & Ruling)
  | {
      readonly kind: 'promoted';
      readonly version: number;
      readonly expect: number | null;
      readonly verdict: VerdictName;
      readonly reason: string;
      /** Where a person promoted it by hand. */
      readonly proof?: Proof;
    }
  /** A person made a former champion champion again. */
  | { readonly kind: 'rolledBack'; readonly from: number | null; readonly to: number; readonly reason: string; readonly proof?: Proof }
  | { readonly kind: 'retired'; readonly version: number; readonly reason: string }
  /** Their content is given up: nothing serves, compares or rebuilds them any more. */
  | { readonly kind: 'pruned'; readonly versions: readonly number[]; readonly reason: string }
  | ({ readonly kind: 'erased'; readonly versions: readonly number[] } & Erasure);

/** What had to go, and why. It says nothing of whom: a log is for ever, and even a keyed hash of a name can be tried out by whoever has the key. */
export interface Erasure {
  /** An id that follows from the request's reason and the hashes that it began with: the same in all logs that it reached, and after a crash. */
  readonly erasure: string;
  /** SHA-256 of what was removed, so that nobody takes its absence for damage. */
  readonly content: readonly string[];
  readonly reason: string;
}

/** One link of a model's log: numbered from 1, chained by the SHA-256 of the previous entry's bytes. */
export interface Entry {
  readonly n: number;
  readonly previous: string | null;
  readonly command: Command;
  readonly at: string;
  readonly by: string;
  readonly run: { readonly workflowId: string; readonly runId: string } | null;
  readonly nonce: string;
}

/** The state of one model and segment: a pure fold over its log. */
export interface SegmentState {
  readonly model: string;
  readonly segment: string;
  readonly entries: number;
  readonly head: Head;
  readonly applied?: { readonly spec: Artifact<'spec'>; readonly at: string; readonly by: string };
  readonly versions: readonly VersionState[];
  readonly champion: number | null;
  readonly previousChampion: number | null;
  /** The last version promoted as `better`, or rolled back to: small losses are measured against it, so that they cannot add up. */
  readonly anchor: number | null;
}

/** A version as it stands: evaluation, report and figures are those of its last judgement. */
export interface VersionState extends RegisteredVersion {
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly run: { readonly workflowId: string; readonly runId: string } | null;
  readonly verdict?: Verdict;
  /** The champion that the verdict is about. */
  readonly against?: number | null;
  readonly approval?: Approval & { readonly since: string };
  readonly ruling?: Ruling & { readonly entry: number; readonly at: string; readonly by: string };
  /** Its content was given up to make room. The log still tells all that was decided about it. */
  readonly pruned?: { readonly entry: number; readonly at: string; readonly by: string; readonly reason: string };
  /** What was erased of that which it was made from, or of itself; oldest first. */
  readonly erased?: readonly (Erasure & { readonly entry: number; readonly at: string; readonly by: string })[];
  readonly status: 'registered' | 'awaiting-decision' | 'champion' | 'previous' | 'former' | 'retired';
}
