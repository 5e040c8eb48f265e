import { aliasesAt, aliasHistory } from '../core/alias-history.ts';
import type { AliasChange } from '../core/alias-history.ts';
import type { Proof } from '../core/decision.ts';
import type { SegmentState } from '../core/registry-entry.ts';
import { instantMs } from '../core/window.ts';
import { fromArguments } from './misuse.ts';
import { styled } from './output.ts';
import { table } from './table.ts';
import { minute, short } from './words.ts';
import type { Workplace } from './workplace.ts';

/** A moment in UTC, to the minute or second: `2026-11-03T14:03`. @throws {Misuse} */
export const parseMoment = (text: string): number =>
  fromArguments(() => instantMs(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?$/.test(text) ? `${text.replace(' ', 'T')}Z` : text));

/** Every change of champion, previous and anchor, with who made it and why. */
export async function tellHistory(at: Workplace, states: readonly SegmentState[]): Promise<void> {
  const histories = await Promise.all(states.map(async (state) => [state, await historyOf(at, state)] as const));
  const segments = Object.fromEntries(histories.map(([{ segment }, history]) => [segment, history]));
  at.out.result({ model: states[0]?.model, segments }, () => histories.map(([state, history]) => historyText(state, history)).join('\n\n'));
}

/** Who was champion then. */
export async function tellAliasesAt(at: Workplace, states: readonly SegmentState[], ms: number): Promise<void> {
  const then = await Promise.all(states.map(async (state) => [state.segment, aliasesAt(await historyOf(at, state), ms) ?? null] as const));
  at.out.result({ model: states[0]?.model, at: new Date(ms).toISOString(), segments: Object.fromEntries(then) }, () =>
    table(
      ['segment', `champion at ${minute(new Date(ms).toISOString())} UTC`, 'since (UTC)', 'previous', 'anchor', 'by', 'why'],
      then.map(([segment, it]) =>
        it === null ? [segment, 'none'] : [segment, name(it.champion), minute(it.at), name(it.previous), name(it.anchor), it.by, it.reason],
      ),
    ),
  );
}

async function historyOf(at: Workplace, { model, segment }: SegmentState): Promise<AliasChange[]> {
  const { registry } = await at.kept();
  return aliasHistory(model, segment, await registry.entries({ model, segment }));
}

function historyText({ model, segment }: SegmentState, history: readonly AliasChange[]): string {
  const title = styled('bold', `${model}/${segment}`);
  if (history.length === 0) return `${title}\nno champion yet`;
  const rows = history
    .toReversed()
    .map((it) => [
      minute(it.at),
      it.change,
      name(it.champion),
      name(it.previous),
      name(it.anchor),
      it.by,
      proofText(it.proof),
      String(it.entry),
      it.reason,
    ]);
  return `${title}\n${table(['at (UTC)', 'change', 'champion', 'previous', 'anchor', 'by', 'known by', '>entry', 'why'], rows)}`;
}

const name = (version: number | null): string => (version === null ? 'none' : `v${version}`);

/** How the author of an entry is known. */
export const proofText = (proof: Proof | null | undefined): string =>
  proof == null ? '' : proof.how === 'claimed' ? 'claim' : `key ${short(proof.key)}`;
