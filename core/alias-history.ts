import type { Proof } from './decision.ts';
import { after, emptyState } from './registry.ts';
import type { Entry } from './registry-entry.ts';

/** A moment in which the champion of a segment changed, and with it perhaps the other aliases. */
export interface AliasChange {
  readonly entry: number;
  readonly at: string;
  readonly by: string;
  readonly run: Entry['run'];
  readonly change: 'promoted' | 'rolled-back' | 'retired';
  readonly reason: string;
  /** How the author is known, where a person did it by hand or approved it; `null` where the gate alone decided. */
  readonly proof: Proof | null;
  /** As they stand from here on. */
  readonly champion: number | null;
  readonly previous: number | null;
  readonly anchor: number | null;
}

/** Every change of the aliases of a log, oldest first. */
export function aliasHistory(model: string, segment: string, entries: readonly Entry[]): AliasChange[] {
  const changes: AliasChange[] = [];
  let state = emptyState(model, segment);
  for (const entry of entries) {
    const before = state.champion;
    state = after(state, entry);
    const told = changeOf(entry);
    // A version that was retired without being champion changed nothing.
    if (told === undefined || (told.change === 'retired' && state.champion === before)) continue;
    const { champion, previousChampion: previous, anchor } = state;
    const ruling = state.versions.find(({ version }) => version === champion)?.ruling;
    const proof = told.proof ?? (told.change === 'promoted' && ruling?.decision === 'approved' ? (ruling.proof ?? null) : null);
    changes.push({ entry: entry.n, at: entry.at, by: entry.by, run: entry.run, ...told, proof, champion, previous, anchor });
  }
  return changes;
}

function changeOf({ command }: Entry): (Pick<AliasChange, 'change' | 'reason'> & { readonly proof?: Proof }) | undefined {
  if (command.kind === 'promoted') return { change: 'promoted', reason: command.reason, ...(command.proof && { proof: command.proof }) };
  if (command.kind === 'rolledBack') return { change: 'rolled-back', reason: command.reason, ...(command.proof && { proof: command.proof }) };
  return command.kind === 'retired' ? { change: 'retired', reason: command.reason } : undefined;
}

/** The aliases as they stood at a moment: those of the last change until then. */
export const aliasesAt = (history: readonly AliasChange[], ms: number): AliasChange | undefined => history.findLast(({ at }) => Date.parse(at) <= ms);
