import type { Artifact } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { SegmentState } from '../core/registry-entry.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { Registry } from './registry.ts';

/** Keeps a spec as an artifact. Equal specs are equal artifacts, whoever keeps them. */
export async function keepSpec(blobs: Blobs, spec: ModelSpec): Promise<Artifact<'spec'>> {
  const blob = await blobs.putBytes(Buffer.from(canonical(spec)));
  return { kind: 'spec', ...blob, mediaType: 'application/json' };
}

/** Makes a spec the one that schedules and `model:` baselines go by. Applying what is applied adds nothing. */
export async function applySpec(registry: Registry, blobs: Blobs, spec: ModelSpec, by: string): Promise<SegmentState> {
  return registry.apply(spec.name, await keepSpec(blobs, spec), { by, run: null });
}
