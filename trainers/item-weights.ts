import { cholesky, inverseFromCholesky } from './linear-algebra.ts';
import type { Breathe } from './linear-algebra.ts';
import { keepNearest } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import { byItem } from './positives.ts';
import type { Positives, WeightedPositives } from './positives.ts';

export interface ItemWeightsOptions {
  /** Ridge penalty λ. */
  readonly l2: number;
  /** Weights kept per item. */
  readonly neighbours: number;
}

/**
 * The item-to-item weights B of EASE (Steck 2019, arXiv:1905.03375): the ridge regression of every item on all others,
 * B = I − P·diag(P)⁻¹ with P = (XᵀX + λI)⁻¹, for X of users × items.
 *
 * Kept are the weights that matter most: by size times `importance` of the item that they speak for.
 *
 * With fewer users than items the same B comes from a system of the users' size: with A = (XXᵀ + λI)⁻¹X, P = (I − XᵀA)/λ.
 */
export function itemWeights(
  x: WeightedPositives,
  options: ItemWeightsOptions,
  breathe: Breathe,
  importance: Float64Array = reach(x),
): Promise<Neighbours> {
  return (x.users < x.itemCount ? fromUsers : fromItems)(x, options, breathe, importance);
}

async function fromItems(
  x: WeightedPositives,
  { l2, neighbours }: ItemWeightsOptions,
  breathe: Breathe,
  importance: Float64Array,
): Promise<Neighbours> {
  const size = x.itemCount;
  const gram = new Float64Array(size * size);
  for (let user = 0; user < x.users; user++) {
    for (let j = x.starts[user]!; j < x.starts[user + 1]!; j++) {
      const row = x.items[j]! * size;
      for (let k = x.starts[user]!; k < x.starts[user + 1]!; k++) gram[row + x.items[k]!]! += x.weights[j]! * x.weights[k]!;
    }
    if (user % 64 === 63) await breathe((0.1 * user) / x.users);
  }
  const p = await inverseOf(gram, size, l2, (share) => breathe(0.1 + 0.8 * share));
  const rowOf = (item: number, row: Float64Array) => {
    for (let other = 0; other < size; other++) row[other] = -p[item * size + other]! / p[other * size + other]!;
  };
  return keepNearest(importance, neighbours, rowOf, (share) => breathe(0.9 + 0.1 * share));
}

async function fromUsers(
  x: WeightedPositives,
  { l2, neighbours }: ItemWeightsOptions,
  breathe: Breathe,
  importance: Float64Array,
): Promise<Neighbours> {
  const { users, itemCount } = x;
  const columns = byItem(x);
  const gram = new Float64Array(users * users);
  for (let item = 0; item < itemCount; item++) {
    for (let j = columns.starts[item]!; j < columns.starts[item + 1]!; j++) {
      const row = columns.users[j]! * users;
      for (let k = columns.starts[item]!; k < columns.starts[item + 1]!; k++)
        gram[row + columns.users[k]!]! += columns.weights[j]! * columns.weights[k]!;
    }
  }
  const inverse = await inverseOf(gram, users, l2, (share) => breathe(0.5 * share));
  const a = new Float64Array(users * itemCount);
  for (let user = 0; user < users; user++) {
    const row = a.subarray(user * itemCount, (user + 1) * itemCount);
    for (let other = 0; other < users; other++) {
      const factor = inverse[user * users + other]!;
      for (let k = x.starts[other]!; k < x.starts[other + 1]!; k++) row[x.items[k]!]! += factor * x.weights[k]!;
    }
    if (user % 32 === 31) await breathe(0.5 + (0.1 * user) / users);
  }
  // λ·diag(P): one minus how well each item explains itself.
  const unexplained = new Float64Array(itemCount).fill(1);
  for (let user = 0; user < users; user++) {
    for (let k = x.starts[user]!; k < x.starts[user + 1]!; k++) unexplained[x.items[k]!]! -= x.weights[k]! * a[user * itemCount + x.items[k]!]!;
  }
  const rowOf = (item: number, row: Float64Array) => {
    row.fill(0);
    for (let k = columns.starts[item]!; k < columns.starts[item + 1]!; k++) {
      const weight = columns.weights[k]!;
      const from = columns.users[k]! * itemCount;
      for (let other = 0; other < itemCount; other++) row[other]! += weight * a[from + other]!;
    }
    for (let other = 0; other < itemCount; other++) row[other]! /= unexplained[other]!;
  };
  return keepNearest(importance, neighbours, rowOf, (share) => breathe(0.6 + 0.4 * share));
}

/** A small weight for a popular item moves rankings more than a large one for an item that nobody is shown: the root of its likes. */
export function reach({ itemCount, items }: Positives): Float64Array {
  const likes = new Float64Array(itemCount);
  for (const item of items) likes[item]!++;
  return likes.map(Math.sqrt);
}

async function inverseOf(gram: Float64Array, size: number, l2: number, breathe: Breathe): Promise<Float64Array> {
  for (let at = 0; at < size; at++) gram[at * size + at]! += l2;
  await cholesky(gram, size, (share) => breathe(0.3 * share));
  return inverseFromCholesky(gram, size, (share) => breathe(0.3 + 0.7 * share));
}
