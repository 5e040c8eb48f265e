import type { History } from '../core/tasks/recommendation-exam.ts';
import type { Catalogue } from './recommend.ts';
import type { UserProfile, UserSummary } from './served-model.ts';

/** What users did, by positions of a catalogue, oldest first. */
export type Histories = ReadonlyMap<string, History>;

/** Reads a snapshot's lines. Items that the version does not know cannot speak to it, and are left out. */
export function readHistories(lines: string, { positions }: Catalogue): Histories {
  const histories = new Map<string, History>();
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    const { user, items } = JSON.parse(line) as { readonly user: string; readonly items: readonly (readonly [string, number, number])[] };
    const known = items.filter(([id]) => positions.has(id)).sort(([, , a], [, , b]) => a - b);
    histories.set(user, {
      items: known.map(([id]) => positions.get(id)!),
      values: known.map(([, value]) => value),
      timesMs: known.map(([, , timeMs]) => timeMs),
    });
  }
  return histories;
}

/** The best value that anybody gave, and at least `least`. */
export function bestValue(histories: Histories, least: number): number {
  let best = least;
  for (const { values } of histories.values()) for (const value of values) best = Math.max(best, value);
  return best;
}

/** Ids that begin with the query first, short ids before long ones, so that `1` finds user 1 before user 10. */
export function findUsers(histories: Histories, query: string, limit: number): readonly UserSummary[] {
  const sought = query.trim().toLowerCase();
  return [...histories]
    .filter(([id]) => id.toLowerCase().includes(sought))
    .map(([id, { items }]) => ({ id, items: items.length, begins: id.toLowerCase().startsWith(sought) }))
    .sort((a, b) => Number(b.begins) - Number(a.begins) || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map(({ id, items }) => ({ id, items }));
}

/** A user's best valued items, the newest first among equals. */
export function profileOf(id: string, { items, values, timesMs }: History, { items: catalogue }: Catalogue, favourites: number): UserProfile {
  const best = [...items.keys()].sort((a, b) => values[b]! - values[a]! || timesMs[b]! - timesMs[a]!).slice(0, favourites);
  return {
    id,
    items: items.length,
    favourites: best.map((at) => ({ ...catalogue[items[at]!]!, value: values[at]!, at: new Date(timesMs[at]!).toISOString() })),
  };
}
