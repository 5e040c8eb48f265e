import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { keepNearest, sumOfNeighbours } from './neighbours.ts';
import { binary, byItem, positivesOf } from './positives.ts';
import { progressOf } from './progress.ts';
import { recommender } from './recommender-graph.ts';

export interface ItemKnnParameters {
  /** Most similar items kept per item. */
  readonly neighbours: number;
  /** Added to the denominator of the cosine, so that two items with two common users are not twins. */
  readonly shrinkage: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    'item-knn': ItemKnnParameters;
  }
}

/** Items that the same people like: likes(i, j) / (√(likes(i) · likes(j)) + shrinkage), summed over the items of a request. */
export const itemKnn: Trainer<'recommendation', ItemKnnParameters> = {
  name: 'item-knn',
  tasks: ['recommendation'],
  parameters: z.strictObject({ neighbours: z.int().positive().default(100), shrinkage: z.number().nonnegative().default(10) }),
  async fit(data, parameters, context) {
    const x = positivesOf(data);
    const columns = byItem(binary(x));
    const likes = Float64Array.from({ length: x.itemCount }, (_, item) => columns.starts[item + 1]! - columns.starts[item]!);
    const rowOf = (item: number, row: Float64Array) => {
      row.fill(0);
      for (let k = columns.starts[item]!; k < columns.starts[item + 1]!; k++) {
        const user = columns.users[k]!;
        for (let at = x.starts[user]!; at < x.starts[user + 1]!; at++) row[x.items[at]!]!++;
      }
      for (let other = 0; other < x.itemCount; other++) {
        if (row[other] !== 0) row[other]! /= Math.sqrt(likes[item]! * likes[other]!) + parameters.shrinkage;
      }
    };
    const even = new Float64Array(x.itemCount).fill(1);
    const kept = await keepNearest(even, parameters.neighbours, rowOf, progressOf(context));
    const { initializers, nodes } = sumOfNeighbours(kept, 'scores');
    return {
      onnx: recommender(x.itemCount, initializers, nodes),
      chosen: { ...parameters },
      facts: { users: x.users, positives: x.items.length, neighbours: kept.width },
    };
  },
};
