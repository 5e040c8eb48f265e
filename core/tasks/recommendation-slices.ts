import type { Item } from '../manifest.ts';
import type { RecommendationQuestion } from './recommendation.ts';

const newBelow = 20;
const popularShare = 0.2;
const categoriesShown = 10;

/** What each slice of users means, for reports. */
export const sliceTitles = {
  'new-users': `users with fewer than ${newBelow} known interactions`,
  'heavy-users': 'the quarter of the examined users with the most known interactions (and who ties with it)',
  'rare-items': `users who liked a held-out item outside the most popular ${popularShare * 100} % of the catalogue`,
  'category:<name>': `users who liked a held-out item of the category, for the ${categoriesShown} largest categories of the catalogue`,
};

/** Which users belong to which slice. `historySizes`: known interactions of each question's user, in the same order. */
export function recommendationSlices(
  questions: readonly RecommendationQuestion[],
  historySizes: readonly number[],
  catalogue: readonly Item[],
): Readonly<Record<string, readonly boolean[]>> {
  const heavyFrom = historySizes.toSorted((a, b) => a - b)[Math.floor(historySizes.length * 0.75)] ?? 0;
  const rareFrom = Math.ceil(catalogue.length * popularShare);
  const likes = (test: (position: number) => boolean) =>
    questions.map(({ relevant }) => relevant.some((position) => position >= 0 && test(position)));
  return {
    'new-users': historySizes.map((size) => size < newBelow),
    'heavy-users': historySizes.map((size) => size >= heavyFrom),
    'rare-items': likes((position) => position >= rareFrom),
    ...Object.fromEntries(
      largestCategories(catalogue).map((name) => [`category:${name}`, likes((position) => catalogue[position]!.categories.includes(name))]),
    ),
  };
}

/** By number of items, ties by name. */
function largestCategories(catalogue: readonly Item[]): string[] {
  const sizes = new Map<string, number>();
  for (const { categories } of catalogue) for (const name of new Set(categories)) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  return [...sizes]
    .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, categoriesShown)
    .map(([name]) => name);
}
