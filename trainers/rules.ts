import { z } from 'zod';
import type { Interactions } from '../core/tasks/recommendation.ts';

/** How well known an item must be before its mean rating is trusted. */
export interface Minimum {
  /** Ratings in the fitted window. Not looked at when `minShare` is stated. */
  readonly minRatings: number;
  /** Ratings as a share of the users in the fitted window. */
  readonly minShare?: number | undefined;
}

export const minimum = {
  minRatings: z.int().positive().default(50),
  minShare: z.number().positive().max(1).optional(),
};

export interface RatedItem {
  /** Its position in the catalogue: fewer means more ratings, then a lower id, so that it breaks ties as the rules state. */
  readonly position: number;
  readonly title: string;
  readonly mean: number;
}

/** The items with enough ratings, in the order of the catalogue, with their mean over all ratings (not only the positive ones). */
export function ratedItems(data: Interactions, { minRatings, minShare }: Minimum): RatedItem[] {
  const sums = new Float64Array(data.catalogue.length);
  const counts = new Float64Array(data.catalogue.length);
  const users = new Set<number>();
  for (let at = 0; at < data.items.length; at++) {
    const item = data.items[at]!;
    if (item < 0) continue;
    users.add(data.users[at]!);
    sums[item]! += data.values[at]!;
    counts[item]!++;
  }
  const enough = minShare === undefined ? minRatings : minShare * users.size;
  return data.catalogue
    .map(({ title }, position) => ({ position, title, mean: sums[position]! / counts[position]! }))
    .filter(({ position }) => counts[position]! > 0 && counts[position]! >= enough);
}

/** What `topK` never returns, however few items are left. */
export const NOT_RECOMMENDED = -Infinity;

/** Scores that rank a list in its order and keep every other item of the catalogue from being recommended. */
export function listScores(list: readonly RatedItem[], itemCount: number): Float32Array {
  const scores = new Float32Array(itemCount).fill(NOT_RECOMMENDED);
  list.forEach(({ position }, rank) => (scores[position] = list.length - rank));
  return scores;
}
