import { MlError } from './errors.ts';
import { allRows } from './segment.ts';
import type { Approval, ReadSubject } from './decision.ts';
import type { Command, Entry, Judgement, SegmentState, Verdict, VersionState } from './registry-entry.ts';

/** The state that a log's entries leave. Pure: server, command line and auditor see the same. */
export function fold(model: string, segment: string, entries: readonly Entry[]): SegmentState {
  return entries.reduce(after, emptyState(model, segment));
}

export const emptyState = (model: string, segment: string): SegmentState => ({
  model,
  segment,
  entries: 0,
  head: { n: 0, nonce: '' },
  versions: [],
  champion: null,
  previousChampion: null,
  anchor: null,
});

/** The state that one more entry leaves. */
export function after(state: SegmentState, entry: Entry): SegmentState {
  const { command, at, by, run } = entry;
  const next = { ...state, entries: entry.n, head: { n: entry.n, nonce: entry.nonce } };
  switch (command.kind) {
    case 'applied':
      return { ...next, applied: { spec: command.spec, at, by } };
    case 'registered':
      return { ...next, versions: [...state.versions, { ...command.registered, version: command.version, at, by, run, status: 'registered' }] };
    case 'judged':
      return {
        ...next,
        versions: changed(state, (it) => (it.version === command.version ? afterJudgement(it, command, at) : it)),
      };
    case 'decided': {
      const { kind: _, ...ruling } = command;
      const decided = (it: VersionState): VersionState => ({
        ...it,
        ruling: { ...ruling, entry: entry.n, at, by },
        status: it.status === 'awaiting-decision' ? 'registered' : it.status,
      });
      return { ...next, versions: changed(state, (it) => (it.version === command.version ? decided(it) : it)) };
    }
    case 'promoted':
      return {
        ...next,
        champion: command.version,
        previousChampion: state.champion,
        // The first champion beat no other version, yet the next ones must not sink below it.
        anchor: command.verdict === 'better' || state.anchor === null ? command.version : state.anchor,
        versions: changed(state, (it) => ({ ...it, status: afterPromotion(it, command.version, state.champion) })),
      };
    case 'rolledBack':
      return {
        ...next,
        champion: command.to,
        previousChampion: state.champion,
        // What came after it was taken back, whatever its verdict was: the next ones are measured against what stands.
        anchor: command.to,
        versions: changed(state, (it) => ({ ...it, status: afterPromotion(it, command.to, state.champion) })),
      };
    case 'retired':
      return {
        ...next,
        champion: state.champion === command.version ? null : state.champion,
        versions: changed(state, (it) => (it.version === command.version ? { ...it, status: 'retired' } : it)),
      };
    case 'pruned': {
      const pruned = { entry: entry.n, at, by, reason: command.reason };
      return { ...next, versions: changed(state, (it) => (command.versions.includes(it.version) ? { ...it, pruned } : it)) };
    }
    case 'erased': {
      const { kind: _, versions, ...erasure } = command;
      const erased = { ...erasure, entry: entry.n, at, by };
      return {
        ...next,
        versions: changed(state, (it) => (versions.includes(it.version) ? { ...it, erased: [...(it.erased ?? []), erased] } : it)),
      };
    }
    default: {
      const { kind } = command satisfies never as { readonly kind: unknown };
      const where = `entry ${entry.n} of ${state.model}/${state.segment}`;
      throw new MlError('LogCorrupt', `${where} is of an unknown kind "${String(kind)}": a newer release wrote it, so update this one`, { kind });
    }
  }
}

const changed = (state: SegmentState, change: (version: VersionState) => VersionState): readonly VersionState[] => state.versions.map(change);

function afterJudgement(version: VersionState, { verdict, against, exam, approval }: Judgement, at: string): VersionState {
  const judged = { ...version, ...exam, verdict, against };
  if (approval === undefined || version.ruling !== undefined || version.status !== 'registered') return judged;
  return { ...judged, approval: { ...approval, since: at }, status: 'awaiting-decision' };
}

function afterPromotion({ version, status }: VersionState, promoted: number, champion: number | null): VersionState['status'] {
  if (version === promoted) return 'champion';
  if (version === champion && status !== 'retired') return 'previous';
  return status === 'previous' || status === 'champion' ? 'former' : status;
}

/** One champion's time in office. */
export interface Reign {
  readonly version: number;
  readonly from: string;
  /** Absent while it reigns. */
  readonly until?: string;
  readonly entry: number;
  readonly by: string;
  readonly run: Entry['run'];
  /** The verdict that it was promoted with, or `rolled-back`. */
  readonly verdict: string;
  readonly reason: string;
}

/** Every champion of a log, oldest first, with who made it champion and why. */
export function reigns(entries: readonly Entry[]): Reign[] {
  const list: Reign[] = [];
  const end = (at: string) => {
    const last = list.at(-1);
    if (last !== undefined && last.until === undefined) list[list.length - 1] = { ...last, until: at };
  };
  for (const { n, command, at, by, run } of entries) {
    if (command.kind === 'promoted') {
      end(at);
      list.push({ version: command.version, from: at, entry: n, by, run, verdict: command.verdict, reason: command.reason });
    }
    if (command.kind === 'rolledBack') {
      end(at);
      list.push({ version: command.to, from: at, entry: n, by, run, verdict: 'rolled-back', reason: command.reason });
    }
    if (command.kind === 'retired' && list.at(-1)?.version === command.version) end(at);
  }
  return list;
}

/** The last entry whose command passes a test. */
export function lastEntry<K extends Command['kind']>(
  entries: readonly Entry[],
  kind: K,
  test: (command: Extract<Command, { kind: K }>, entry: Entry) => boolean,
): Entry | undefined {
  return entries.findLast((entry) => entry.command.kind === kind && test(entry.command as Extract<Command, { kind: K }>, entry));
}

/** A version as people write it: `model[/segment][@N|@champion|@previous]`. */
export interface Reference {
  readonly model: string;
  readonly segment: string;
  readonly at: number | 'champion' | 'previous';
}

const referenceForm = /^([a-z0-9][a-z0-9-]*)(?:\/([a-z0-9][a-z0-9._=-]*))?(?:@(\d+|champion|previous))?$/;

/**
 * Without a segment it is that of all rows, without a version the champion.
 *
 * @throws {MlError} `RequestInvalid`
 */
export function parseReference(text: string): Reference {
  const [, model, segment = allRows, at = 'champion'] = referenceForm.exec(text) ?? [];
  if (model === undefined) {
    throw new MlError('RequestInvalid', `"${text}" names no version: write model, model/segment, model@3 or model/segment@champion`, {
      reference: text,
    });
  }
  return { model, segment, at: at === 'champion' || at === 'previous' ? at : Number(at) };
}

/** `model/segment@N`, which `parseReference` reads. */
export const formatReference = (model: string, segment: string, version: number): string => `${model}/${segment}@${version}`;

/** The version of a segment that a reference means, if there is one. */
export function resolveVersion(state: SegmentState, at: Reference['at']): VersionState | undefined {
  const version = at === 'champion' ? state.champion : at === 'previous' ? state.previousChampion : at;
  return state.versions.find((it) => it.version === version);
}

/** Whether a version may still be named in decisions: what is retired or pruned may not. */
export const stands = ({ status, pruned }: Pick<VersionState, 'status' | 'pruned'>): boolean => status !== 'retired' && pruned === undefined;

/** What a decision about a version that awaits it has to know. @throws {MlError} `RequestInvalid` if its verdict is for nobody to approve. */
export function awaited(
  state: SegmentState,
  version: VersionState,
): { readonly subject: ReadSubject; readonly approval: Approval; readonly verdict: Verdict } {
  const { approval, verdict, against = null, status } = version;
  if (approval !== undefined && verdict !== undefined) return { subject: subjectOf(state, version, against), approval, verdict };
  const reference = formatReference(state.model, state.segment, version.version);
  throw new MlError('RequestInvalid', `${reference} awaits no decision: ${standingOf(state, version)}`, { reference, status });
}

/** What has become of a version that nobody is asked about, and what may still be done with it. */
function standingOf({ model, segment }: SegmentState, { version, status, verdict, pruned }: VersionState): string {
  const place = `${model}/${segment}`;
  if (status === 'retired' || pruned !== undefined) return `it is ${status === 'retired' ? status : 'pruned'}, and cannot be brought again`;
  if (status === 'champion') return 'it is the champion already';
  if (status !== 'registered') return `it was champion before: \`perennial rollback ${place} --to ${version}\` makes it champion again`;
  const judged = verdict === undefined ? 'it is not judged yet' : `it was judged ${verdict.name}, and serves nobody`;
  return `${judged}. To bring it all the same: \`perennial promote ${formatReference(model, segment, version)}\``;
}

/** What a decision about a version is bound to, as the log stands. */
export function subjectOf(state: SegmentState, { version, package: pack, evaluation }: VersionState, expect: number | null): ReadSubject {
  const { model, segment, head } = state;
  return { model, segment, version, package: pack.sha256, evaluation: evaluation.sha256, expect, head };
}
