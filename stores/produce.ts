import type { Artifact, ArtifactKind, Json, Provenance, Run } from '../core/artifact.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { Call } from './object-store.ts';

/** A file that a step has just written. */
export interface Made {
  readonly path: string;
  readonly mediaType: string;
  /** Recorded, not keyed: versions, platform, durations, the hash of a foreign file. */
  readonly notes?: Readonly<Record<string, Json>>;
}

/** Makes an artifact once. A retry, or a second run with the same inputs, gets the first result back. */
export async function produce<K extends ArtifactKind>(
  artifacts: ArtifactStore,
  kind: K,
  provenance: Provenance,
  by: Run,
  make: () => Promise<Made>,
  call?: Call,
): Promise<Artifact<K>> {
  const found = await artifacts.find(kind, provenance, by);
  if (found !== undefined) return found;
  const { path, ...facts } = await make();
  return artifacts.commit(kind, provenance, path, { ...facts, by }, call);
}
