import { canonical } from '../core/canonical.ts';
import type { ModelSpec } from '../core/model-spec.ts';

/** The part of a spec that decides the package and the verdict, for comparison. A new schedule or approval alone makes no new version. */
export const madeBy = ({ retrain: _, approval: __, ...rest }: ModelSpec): string => canonical(rest);
