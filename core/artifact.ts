/** What an artifact is of; decides nothing but how it is shown and filtered. */
export type ArtifactKind =
  | 'spec'
  | 'source'
  | 'contract'
  | 'rows'
  | 'profile'
  | 'split'
  | 'preprocessor'
  | 'features'
  | 'model'
  | 'predictions'
  | 'evaluation'
  | 'benchmark'
  | 'report'
  | 'package'
  | 'snapshot'
  | 'lineage';

/** A pointer to immutable content. It holds no location: the store knows where. The only thing that steps pass to each other. */
export interface Artifact<K extends ArtifactKind = ArtifactKind> {
  readonly kind: K;
  /** Lower-case hex SHA-256 of the content. */
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** JSON that canonicalises to the same bytes everywhere (RFC 8785): what provenance and specs are made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * What made an artifact: its cache key. No clock, duration, host or path belongs here.
 *
 * `code` is the digest of the step's own compiled module and its local imports; `environment` holds only the facts that the step declares
 * to matter (say the ONNX Runtime version for training).
 */
export interface Provenance {
  readonly step: string;
  readonly code: string;
  /** Named inputs: SHA-256 of artifacts and observations. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly parameters: Json;
  readonly environment: Readonly<Record<string, string>>;
}

/** One execution of a workflow. */
export interface Run {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
}

/** One line under `made/<provenance digest>/`: this provenance gave this artifact, in this run. */
export interface MadeRecord {
  readonly provenance: Provenance;
  readonly artifact: Artifact;
  readonly by: Run;
  readonly at: string;
  /** Recorded, not keyed: versions, platform, durations. */
  readonly notes: Readonly<Record<string, Json>>;
}

/** Every pointer in a value, each content once. */
export function artifactsIn(value: unknown): Artifact[] {
  const found = new Map<string, Artifact>();
  const look = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return;
    if (isArtifact(each)) found.set(each.sha256, each);
    else for (const part of Object.values(each)) look(part);
  };
  look(value);
  return [...found.values()];
}

const isArtifact = (value: object): value is Artifact => 'kind' in value && 'sha256' in value && 'bytes' in value && 'mediaType' in value;
