import type { VerdictName } from '../core/registry-entry.ts';
import { steps } from './steps.ts';

export interface DeployRequest {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  /** The champion that the version was judged against; if it is another by now, the promotion is refused with `ChampionChanged`. */
  readonly expect: number | null;
  readonly verdict: VerdictName;
  readonly by: string;
  readonly reason?: string;
}

export interface DeployOutcome {
  readonly outcome: 'promoted';
  readonly version: number;
  readonly entry: number;
}

/** Bring a version to its segment's traffic. In this first form there is one stage of 100 %; `promoted` is the last thing that it does. */
export async function deploy(request: DeployRequest): Promise<DeployOutcome> {
  const { entry } = await steps.promote(request);
  return { outcome: 'promoted', version: request.version, entry };
}
