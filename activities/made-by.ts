import { canonical } from '../core/canonical.ts';
import type { ModelSpec } from '../core/model-spec.ts';

/** The part of a spec that decides the package and the verdict, for comparison. A new schedule alone makes no new version. */
export const madeBy = ({ retrain: _, ...rest }: ModelSpec): string => canonical(rest);
