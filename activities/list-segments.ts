import type { ModelSpec } from '../core/model-spec.ts';
import { segmentsOf } from '../core/segment.ts';
import type { Ports, Step } from './ports.ts';

/** The segments of a spec, for a workflow that trains them all. */
export const listSegments =
  (_: Ports): Step<{ readonly spec: ModelSpec }, { readonly segments: readonly string[] }> =>
  async ({ spec }) => ({ segments: segmentsOf(spec) });
