import type { Json, Provenance } from './artifact.ts';

/** One place where two provenances of a step differ, such as `inputs.rows` or `parameters.try.l2[0]`. `undefined` where a side has nothing. */
export interface Difference {
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** What differs between two provenances, in the order step, code, inputs, parameters, environment; leaves only. Empty if they are the same key. */
export function differences(before: Provenance, after: Provenance): Difference[] {
  const parts = ['step', 'code', 'inputs', 'parameters', 'environment'] as const;
  return parts.flatMap((part) => valueDifferences(part, before[part], after[part]));
}

/** The provenance that differs from `wanted` in the fewest places; of equals the last, so give them oldest first. */
export function nearestProvenance<P extends { readonly provenance: Provenance }>(candidates: readonly P[], wanted: Provenance): P | undefined {
  let best: { candidate: P; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = differences(candidate.provenance, wanted).length;
    if (best === undefined || distance <= best.distance) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Where two values differ, leaves only; `path` is what the whole is called. */
export function valueDifferences(path: string, before: Json | undefined, after: Json | undefined): Difference[] {
  if (before === after) return [];
  if (isList(before) && isList(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, at) => valueDifferences(`${path}[${at}]`, before[at], after[at])).flat();
  }
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => valueDifferences(`${path}.${name}`, before[name], after[name]));
  }
  return [{ path, before, after }];
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
