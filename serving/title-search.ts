import type { Item } from '../core/manifest.ts';

/** Without accents and case, so that `amelie` finds “Amélie”. */
const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/**
 * Finds items whose title has every word of the query: titles that begin with it first, then those where each word begins a word, then the rest;
 * within each in catalogue order, which is by popularity.
 */
export function titleSearch(items: readonly Item[]): (query: string, limit: number) => readonly Item[] {
  const titles = items.map(({ title }) => fold(title));
  return (query, limit) => {
    const sought = fold(query).trim();
    const words = sought.split(/\s+/);
    const tiers: [Item[], Item[], Item[]] = [[], [], []];
    for (const [position, title] of titles.entries()) {
      if (!words.every((word) => title.includes(word))) continue;
      const begins = (word: string) => title.startsWith(word) || title.includes(` ${word}`) || title.includes(`(${word}`);
      tiers[title.startsWith(sought) ? 0 : words.every(begins) ? 1 : 2].push(items[position]!);
    }
    return tiers.flat().slice(0, limit);
  };
}
