import type { Connection, ReadSecret } from '../core/connection.ts';
import type { Run } from '../core/artifact.ts';
import type { StepContext } from '../core/step-context.ts';
import type { TrainScript } from '../core/train-script.ts';
import type { LineageIndex } from '../lineage/lineage-index.ts';
import type { Approvers } from '../registry/proof.ts';
import type { Registry } from '../registry/registry.ts';
import type { RunArchive, RunStatus } from '../registry/runs.ts';
import type { ArtifactStore } from '../stores/artifact-store.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import type { Compute } from './compute/compute.ts';

/** What the steps are made with. `workers/` wires it; steps know nothing of the environment, of Temporal or of each other. */
export interface Ports {
  readonly store: ObjectStore;
  readonly blobs: Blobs;
  readonly artifacts: ArtifactStore;
  readonly registry: Registry;
  readonly runs: RunArchive;
  readonly lineage: LineageIndex;
  /** Whose decisions count; absent where nobody is configured, and everybody is taken at their word. */
  readonly approvers?: Approvers;
  readonly histories: Histories;
  readonly compute: Compute;
  /** The connection that a source's `from` names. @throws {MlError} `ConnectionUnknown` names the ones that exist. */
  readonly connection: (from: string) => { readonly connection: Connection; readonly path: string };
  readonly readSecret: ReadSecret;
  /** A training script of this worker by name. @throws {MlError} `ScriptUnknown`, `PythonMissing` */
  readonly trainScript: (name: string) => Promise<TrainScript>;
  /** The digest of a compiled module and its local imports, by its path without extension: `activities/build-rows`. */
  readonly codeDigest: (module: string) => string;
  /** A folder that outlives attempts: half-downloaded sources go on from here. */
  readonly resumeFolder: string;
}

/** The histories that Temporal holds. */
export interface Histories {
  /** The history so far as replayable JSON, and the id of its last event. */
  fetch(workflowId: string, runId: string): Promise<{ readonly json: string; readonly lastEvent: number }>;
  /** Runs that have closed, newest first. */
  closed(signal: AbortSignal): AsyncIterable<ClosedRun>;
}

export interface ClosedRun extends Run {
  readonly status: RunStatus['status'];
  /** ISO 8601. */
  readonly startedAt: string;
  readonly closedAt: string;
}

/** A step: plain input to plain output. One small adapter in `workers/` gives it its context. */
export type Step<Input, Output> = (input: Input, context: StepContext) => Promise<Output>;
