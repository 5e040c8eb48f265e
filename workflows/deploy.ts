import type { Signed } from '../core/decision.ts';
import type { VerdictName } from '../core/registry-entry.ts';
import { steps } from './steps.ts';

export interface Promotion {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  /** The champion that the version was judged against; if it is another by now, the promotion is refused with `ChampionChanged`. */
  readonly expect: number | null;
  readonly verdict: VerdictName;
  readonly by: string;
  readonly reason?: string;
}

/** What the gate let through, or what a person decided by hand: to promote a version whatever its verdict, or to roll back to a former champion. */
export type DeployRequest = Promotion | { readonly signed: Signed };

export interface DeployOutcome {
  readonly outcome: 'promoted' | 'rolled-back';
  readonly version: number;
  readonly entry: number;
}

/** Bring a version to its segment's traffic. In this first form there is one stage of 100 %; `promoted` is the last thing that it does. */
export async function deploy(request: DeployRequest): Promise<DeployOutcome> {
  if ('signed' in request) {
    const { decision, version } = request.signed.statement;
    const { entry } = await steps.enact(request);
    return { outcome: decision === 'rolledBack' ? 'rolled-back' : 'promoted', version, entry };
  }
  const { entry } = await steps.promote(request);
  return { outcome: 'promoted', version: request.version, entry };
}
