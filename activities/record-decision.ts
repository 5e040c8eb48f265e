import { type Decision, rulingOn, type Signed, type Subject } from '../core/decision.ts';
import { durationMs } from '../core/duration.ts';
import { MlError } from '../core/errors.ts';
import { isWorthy } from '../core/gate.ts';
import { formatReference, resolveVersion } from '../core/registry.ts';
import type { Entry, Ruling, SegmentState, VersionState } from '../core/registry-entry.ts';
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
    const { ruling, by } = 'signed' in input ? stated(ports, state, input.signed) : { ruling: unheard(state, input), by: nobody };
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
  const { version, decision, reason, by } = signed.statement;
  const ruling = { ...rulingOn(signed.statement), decision: decision as 'approved' | 'rejected', reason };
  // What is decided already needs no proof any more; the log answers.
  if (resolveVersion(state, version)?.ruling !== undefined) return { ruling, by };
  return { ruling: { ...ruling, proof: checkStatement(ports, state, signed, ['approved', 'rejected']).proof }, by };
}

/** Clocks of workers and of Temporal are that far apart at most. */
const clocksApartMs = 60_000;

/** Whoever can start a workflow could close what waits for a person: that nobody was heard has to be so by the log. What is decided, it answers itself. */
function unheard(state: SegmentState, { subject, decision, reason }: Extract<RecordDecisionInput, { decision: string }>): Ruling {
  const version = resolveVersion(state, subject.version);
  const { approval } = version ?? {};
  if (approval !== undefined && version?.ruling === undefined) {
    const until = Date.parse(approval.since) + durationMs(approval.within);
    const hasNewer = state.versions.some((it) => it.version > subject.version && it.approval !== undefined);
    const isSo = decision === 'expired' ? Date.now() + clocksApartMs >= until : hasNewer;
    if (!isSo) {
      const why = decision === 'expired' ? `there is time until ${new Date(until).toISOString()}` : 'no newer version was up for a decision';
      throw new MlError('ApprovalRefused', `${formatReference(state.model, state.segment, subject.version)} is not ${decision}: ${why}`, { subject });
    }
  }
  return { ...rulingOn(subject), decision, reason };
}

function standing({ version, ruling, verdict }: VersionState, entries: readonly Entry[]): Omit<Standing, 'own'> {
  const { decision, by, at, reason, entry } = ruling!;
  const later = entries.slice(entry).map(({ command }) => command);
  const wasPromoted = later.some((command) => command.kind === 'promoted' && command.version === version);
  const judgedAgain = later.findLast((command) => command.kind === 'judged' && command.version === version);
  const since = wasPromoted ? 'promoted' : judgedAgain?.kind === 'judged' && !isWorthy(judgedAgain.verdict.name) ? 'rejected' : null;
  return { decision, by, at, reason, entry, verdict: verdict!, since };
}
