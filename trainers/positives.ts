import type { Interactions } from '../core/tasks/recommendation.ts';

const DAY_MS = 86_400_000;

/** Positive interactions by user, as compressed rows: the items of user `u` are at `starts[u]` … `starts[u + 1] - 1`, ascending, each once. */
export interface Positives {
  readonly users: number;
  readonly itemCount: number;
  readonly starts: Int32Array;
  readonly items: Int32Array;
  /** Days from the latest time that the user met the item to the end of the fitted rows. Never negative. */
  readonly ages: Float64Array;
}

/** A sparse matrix of users × items: `Positives` with a weight for each. */
export interface WeightedPositives extends Positives {
  readonly weights: Float64Array;
}

/** What a learned recommender learns from: likes, not dislikes. Users without a like are left out; the others keep their order. */
export function positivesOf(data: Interactions): Positives {
  const rows = new Map<number, Map<number, number>>();
  for (let at = 0; at < data.users.length; at++) {
    const row = rows.get(data.users[at]!) ?? new Map<number, number>();
    rows.set(data.users[at]!, row);
    // Rows come in order of time: an item that was met more than once counts as it was met last, as in a request.
    if (isPositive(data, at)) row.set(data.items[at]!, ageDays(data, at));
    else row.delete(data.items[at]!);
  }
  const users = [...rows.keys()].filter((user) => rows.get(user)!.size > 0).toSorted((a, b) => a - b);
  const starts = new Int32Array(users.length + 1);
  users.forEach((user, at) => (starts[at + 1] = starts[at]! + rows.get(user)!.size));
  const items = new Int32Array(starts[users.length]!);
  const ages = new Float64Array(items.length);
  users.forEach((user, at) => {
    const row = [...rows.get(user)!].toSorted(([a], [b]) => a - b);
    row.forEach(([item, age], k) => {
      items[starts[at]! + k] = item;
      ages[starts[at]! + k] = age;
    });
  });
  return { users: users.length, itemCount: data.catalogue.length, starts, items, ages };
}

export const isPositive = (data: Interactions, at: number): boolean => data.items[at]! >= 0 && data.values[at]! >= data.relevantFrom;

export const ageDays = (data: Interactions, at: number): number => Math.max(0, (data.asOfMs - data.timesMs[at]!) / DAY_MS);

/** The transposed matrix: the users of item `i` at `starts[i]` … `starts[i + 1] - 1`, ascending, with their weights. */
export interface ByItem {
  readonly starts: Int32Array;
  readonly users: Int32Array;
  readonly weights: Float64Array;
}

export function byItem({ users, itemCount, starts, items, weights }: WeightedPositives): ByItem {
  const itemStarts = new Int32Array(itemCount + 1);
  for (const item of items) itemStarts[item + 1]!++;
  for (let item = 0; item < itemCount; item++) itemStarts[item + 1]! += itemStarts[item]!;
  const next = itemStarts.slice();
  const itemUsers = new Int32Array(items.length);
  const itemWeights = new Float64Array(items.length);
  for (let user = 0; user < users; user++) {
    for (let k = starts[user]!; k < starts[user + 1]!; k++) {
      const at = next[items[k]!]!++;
      itemUsers[at] = user;
      itemWeights[at] = weights[k]!;
    }
  }
  return { starts: itemStarts, users: itemUsers, weights: itemWeights };
}

/** Every like counts the same. */
export const binary = (positives: Positives): WeightedPositives => ({ ...positives, weights: new Float64Array(positives.items.length).fill(1) });
