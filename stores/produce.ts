import type { Artifact, ArtifactKind, Json, Provenance, Run } from '../core/artifact.ts';
import type { ArtifactStore } from './artifact-store.ts';

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
): Promise<Artifact<K>> {
  const found = await artifacts.find(kind, provenance, by);
  if (found !== undefined) return found;
  const { path, ...facts } = await make();
  return artifacts.commit(kind, provenance, path, { ...facts, by });
}

/** As `produce`, for a step that makes several artifacts of different kinds in one go: all are found, or all are made. */
export async function produceAll<K extends ArtifactKind>(
  artifacts: ArtifactStore,
  kinds: readonly K[],
  provenance: Provenance,
  by: Run,
  make: () => Promise<{ readonly [P in K]: Made }>,
): Promise<{ readonly [P in K]: Artifact<P> }> {
  const all: Partial<Record<K, Artifact>> = {};
  for (const kind of kinds) {
    const found = await artifacts.find(kind, provenance, by);
    if (found !== undefined) all[kind] = found;
  }
  const missing = kinds.filter((kind) => all[kind] === undefined);
  if (missing.length > 0) {
    const made: Readonly<Record<K, Made>> = await make();
    for (const kind of missing) {
      const { path, ...facts }: Made = made[kind];
      all[kind] = await artifacts.commit(kind, provenance, path, { ...facts, by });
    }
  }
  return all as { readonly [P in K]: Artifact<P> };
}
