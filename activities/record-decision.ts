import type { Decision, Signed, Subject } from '../core/decision.ts';
import { MlError } from '../core/errors.ts';
import { isWorthy } from '../core/gate.ts';
import { resolveVersion } from '../core/registry.ts';
import type { Entry, Ruling, VersionState } from '../core/registry-entry.ts';
import type { Standing } from '../core/run.ts';
import { checkStatement } from './check-statement.ts';
import type { Ports, Step } from './ports.ts';

/** Who writes what nobody decided. */
export const nobody = 'perennial';

export type RecordDecisionInput = { readonly subject: Subject } & (
  | { readonly signed: Signed }
  | { readonly decision: Extract<Decision, 'expired' | 'superseded'>; readonly reason: string }
);

/** Append a decision, once its proof is checked; or say which one stands. A retry finds its own entry. */
export const recordDecision =
  (ports: Ports): Step<RecordDecisionInput, Standing> =>
  async (input, context) => {
    const { model, segment, version } = input.subject;
    const place = { model, segment };
    const state = await ports.registry.state(place);
    const { ruling, by } = 'signed' in input ? stated(ports, state, input.signed) : { ruling: unheard(input), by: nobody };
    const own = await ports.registry.decide(place, ruling, { by, run: context.run }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof MlError && error.code === 'DecisionTaken') return false;
        throw error;
      },
    );
    const entries = await ports.registry.entries(place);
    return { ...standing(resolveVersion(await ports.registry.state(place), version)!, entries), own };
  };

function stated(ports: Ports, state: Parameters<typeof checkStatement>[1], signed: Signed): { readonly ruling: Ruling; readonly by: string } {
  const { version, decision, package: pack, evaluation, expect, reason, by } = signed.statement;
  const ruling = { version, decision: decision as 'approved' | 'rejected', package: pack, evaluation, expect, reason };
  // What is decided already needs no proof any more; the log answers.
  if (resolveVersion(state, version)?.ruling !== undefined) return { ruling, by };
  return { ruling: { ...ruling, proof: checkStatement(ports, state, signed, ['approved', 'rejected']).proof }, by };
}

function unheard({ subject, decision, reason }: Extract<RecordDecisionInput, { decision: string }>): Ruling {
  const { model: _, segment: __, ...about } = subject;
  return { ...about, decision, reason };
}

function standing({ version, ruling, verdict }: VersionState, entries: readonly Entry[]): Omit<Standing, 'own'> {
  const { decision, by, at, reason, entry } = ruling!;
  const later = entries.slice(entry).map(({ command }) => command);
  const wasPromoted = later.some((command) => command.kind === 'promoted' && command.version === version);
  const judgedAgain = later.findLast((command) => command.kind === 'judged' && command.version === version);
  const since = wasPromoted ? 'promoted' : judgedAgain?.kind === 'judged' && !isWorthy(judgedAgain.verdict.name) ? 'rejected' : null;
  return { decision, by, at, reason, entry, verdict: verdict!, since };
}
