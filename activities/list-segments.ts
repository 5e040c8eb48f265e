import type { ModelSpec } from '../core/model-spec.ts';
import { allRows, segmentLabel } from '../core/segment.ts';
import type { Ports, Step } from './ports.ts';

/** The segments of a spec that names them, with the one of all rows first. */
export const listSegments =
  (_: Ports): Step<{ readonly spec: ModelSpec }, { readonly segments: readonly string[] }> =>
  async ({ spec: { segments } }) => ({ segments: [allRows, ...(segments?.only ?? []).map((value) => segmentLabel(segments!.by, value))] });
