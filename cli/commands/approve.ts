import type { Command } from 'commander';
import { awaited, formatReference } from '../../core/registry.ts';
import { decisionTaken } from '../../registry/decisions.ts';
import { deciderOf, deciding, type DecidingFlags, namedVersion } from '../deciding.ts';
import { followToTheEnd, startedRun } from '../follow.ts';
import { perform, verb } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

export function approveCommand(program: Command): void {
  deciding(
    verb(program, 'approve <version>', 'agree that a version that awaits a decision is promoted, and follow it', [
      'approve payment-fraud@3',
      'approve payment-fraud/month=10@3 --reason "the drop in October is the holiday" --key ~/keys/ada.pem',
    ]),
  ).action((version: string, flags: DecidingFlags) =>
    perform(flags, (at) => decide(at, 'approve', version, { ...flags, reason: flags.reason ?? 'approved' })),
  );
}

const decisions = { approve: 'approved', reject: 'rejected' } as const;

/** Says a decision, which is in the log when the answer comes, and follows what comes of it. */
export async function decide(at: Workplace, verbName: 'approve' | 'reject', text: string, flags: DecidingFlags): Promise<number | void> {
  const who = await deciderOf(at, flags);
  const { state, version } = await namedVersion(at, text);
  const { model, segment } = state;
  // What the log knows already need not be asked of a run.
  const awaiting = awaited(state, version);
  const { ruling } = version;
  if (ruling !== undefined && ruling.decision !== decisions[verbName]) throw decisionTaken(formatReference(model, segment, version.version), ruling);
  const reached = await at.temporal();
  const { standing, run } = await reached.client[verbName](awaiting, who);
  at.out.say(`${model}/${segment}@${version.version} is ${standing.decision} by ${standing.by}: entry ${standing.entry}`);
  const started = startedRun(reached, run);
  const outcome = await followToTheEnd(at, run, started);
  if (typeof outcome === 'number') return outcome;
  at.out.result({ ...outcome, run: started }, () => {
    const what =
      outcome.outcome === 'rejected' && outcome.decision === 'approved'
        ? 'not promoted: the champion changed, and it lost against the new one'
        : outcome.outcome;
    return `${model}/${segment} v${version.version} is ${what}`;
  });
}
