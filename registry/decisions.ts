import { canonical } from '../core/canonical.ts';
import { mismatch, type Proof } from '../core/decision.ts';
import { MlError } from '../core/errors.ts';
import { overtaken } from '../core/grounds.ts';
import { awaited, formatReference, lastEntry, resolveVersion, stands } from '../core/registry.ts';
import type { Command, Entry, Ruling, SegmentState, VersionState } from '../core/registry-entry.ts';

/** What a log says to a decision: the entry that it is already, or the command to append. */
type Answer = Entry | Command;
type Writer = Pick<Entry, 'by' | 'run'>;

/**
 * The one decision about a version that awaits it. Whoever decides as was decided before gets that entry.
 *
 * @throws {MlError} `DecisionTaken`, saying who decided and how; `ApprovalRefused` if it is about another package or evaluation; `RequestInvalid` if
 * the version awaits nothing.
 */
export function ruled(state: SegmentState, entries: readonly Entry[], ruling: Ruling, { by }: Writer): Answer {
  const version = requireVersion(state, ruling.version);
  const reference = formatReference(state.model, state.segment, version.version);
  const before = version.ruling;
  if (before !== undefined) {
    const isSame = before.decision === ruling.decision && (before.by === by || ruling.decision === 'superseded' || ruling.decision === 'expired');
    if (isSame) return entries[before.entry - 1]!;
    throw decisionTaken(reference, before);
  }
  const { subject } = awaited(state, version);
  const wrong = mismatch({ ...subject, ...ruling }, subject);
  if (wrong !== undefined) {
    throw new MlError('ApprovalRefused', `the decision is not about ${reference} as it is now: ${wrong}`, { version: version.version });
  }
  requireHolds(entries, ruling.proof);
  return { kind: 'decided', ...ruling };
}

/** It was decided otherwise before, or by somebody else. */
export const decisionTaken = (reference: string, { decision, by, at, entry, reason }: NonNullable<VersionState['ruling']>): MlError =>
  new MlError('DecisionTaken', `${reference} is ${decision} since ${at}, by ${by} (entry ${entry}: ${reason}); it is decided once`, {
    decision,
    by,
    at,
    entry,
  });

/** A version for the champion's place. A retried promotion finds its own entry. */
export function promoted(state: SegmentState, entries: readonly Entry[], command: Extract<Command, { kind: 'promoted' }>, { run }: Writer): Answer {
  const own = lastEntry(entries, 'promoted', (it, entry) => entry.run?.runId === run?.runId && canonical(it) === canonical(command));
  const before =
    (run === null ? undefined : own) ??
    spent(entries, command.proof) ??
    (state.champion === command.version ? lastReign(entries, command.version) : undefined);
  if (before !== undefined) return before;
  const version = requireVersion(state, command.version);
  const reference = formatReference(state.model, state.segment, version.version);
  if (version.status === 'awaiting-decision') {
    throw new MlError(
      'ApprovalRefused',
      `${reference} awaits a decision of the role "${version.approval!.role}": \`perennial approve ${reference}\``,
      {
        version: version.version,
      },
    );
  }
  if (version.approval !== undefined && version.ruling?.decision !== 'approved' && command.proof === undefined) {
    throw new MlError('ApprovalRefused', `${reference} needs approval, and is ${version.ruling?.decision ?? 'undecided'}`, {
      version: version.version,
    });
  }
  if (state.champion !== command.expect) throw championChanged(state, command.version, command.expect);
  requireHolds(entries, command.proof);
  return command;
}

/** A former champion back in its place, if `from` is the champion still. */
export function rolledBack(
  state: SegmentState,
  entries: readonly Entry[],
  command: Extract<Command, { kind: 'rolledBack' }>,
  { run }: Writer,
): Answer {
  const own = lastEntry(entries, 'rolledBack', (it, entry) => entry.run?.runId === run?.runId && canonical(it) === canonical(command));
  const before = (run === null ? undefined : own) ?? spent(entries, command.proof);
  if (before !== undefined) return before;
  const version = requireVersion(state, command.to);
  if (state.champion !== command.from) throw championChanged(state, command.to, command.from);
  if (version.status !== 'previous' && version.status !== 'former') {
    const reference = formatReference(state.model, state.segment, command.to);
    const what = version.status === 'champion' ? 'is the champion already' : 'was never champion: to bring it, `perennial promote`';
    throw new MlError('RequestInvalid', `${reference} ${what}`, { version: command.to });
  }
  requireHolds(entries, command.proof);
  return command;
}

/** The entry that a signed statement led to already: none counts twice. */
function spent(entries: readonly Entry[], proof: Proof | undefined): Entry | undefined {
  if (proof?.how !== 'signature') return undefined;
  const text = canonical(proof.statement);
  return entries.find(({ command }) => 'proof' in command && command.proof?.how === 'signature' && canonical(command.proof.statement) === text);
}

/** One that led to nothing when it was said must not lie in wait for whoever finds it in a history. */
function requireHolds(entries: readonly Entry[], proof: Proof | undefined): void {
  if (proof?.how !== 'signature') return;
  const { statement } = proof;
  const why = overtaken(statement, entries);
  if (why !== undefined)
    throw new MlError('ApprovalRefused', `the statement of "${statement.by}" does not hold: ${why}. Look again, and decide anew`, { statement });
}

const lastReign = (entries: readonly Entry[], version: number): Entry | undefined =>
  entries.findLast(({ command }) => (command.kind === 'promoted' ? command.version : command.kind === 'rolledBack' ? command.to : null) === version);

/** @throws {MlError} `VersionUnknown`, also for a version that is retired or pruned. */
export function requireVersion(state: SegmentState, version: number): VersionState {
  const found = resolveVersion(state, version);
  if (found !== undefined && stands(found)) return found;
  const what = found === undefined ? 'is not registered' : found.pruned === undefined ? 'is retired' : 'was pruned';
  throw new MlError(
    'VersionUnknown',
    `${formatReference(state.model, state.segment, version)} ${what}: choose one of "perennial versions ${state.model}"`,
    { version },
  );
}

function championChanged(state: SegmentState, version: number, expect: number | null): MlError {
  const { model, segment, champion } = state;
  const name = (it: number | null): string => (it === null ? 'no champion' : `version ${it}`);
  return new MlError(
    'ChampionChanged',
    `version ${version} of ${model}/${segment} was judged against ${name(expect)}, but now there is ${name(champion)}: judge it again`,
    { model, segment, version, expect, champion },
  );
}
