import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { itemWeights } from './item-weights.ts';
import type { ItemWeightsOptions } from './item-weights.ts';
import { sumOfNeighbours } from './neighbours.ts';
import { binary, positivesOf } from './positives.ts';
import { recommender } from './recommender-graph.ts';
import { progressOf } from './progress.ts';

export type EaseParameters = ItemWeightsOptions;

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    ease: EaseParameters;
  }
}

/** EASE (`item-weights.ts`) on likes: one solve, and a request's scores are the sum of what each of its items says about all others. */
export const ease: Trainer<'recommendation', EaseParameters> = {
  name: 'ease',
  tasks: ['recommendation'],
  parameters: z.strictObject({ l2: z.number().positive().default(100), neighbours: z.int().positive().default(300) }),
  async fit(data, parameters, context) {
    const positives = positivesOf(data);
    const kept = await itemWeights(binary(positives), parameters, progressOf(context));
    const { initializers, nodes } = sumOfNeighbours(kept, 'scores');
    const onnx = recommender(kept.itemCount, initializers, nodes);
    return { onnx, chosen: { ...parameters }, facts: { users: positives.users, positives: positives.items.length, neighbours: kept.width } };
  },
};
