import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { isPositive } from './positives.ts';
import { constantScores } from './recommender-graph.ts';

export type PopularityParameters = Readonly<Record<never, never>>;

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    popularity: PopularityParameters;
  }
}

/** What most people like: the number of positives of each item. Ties go to the item with more interactions, then to the lower id. */
export const popularity: Trainer<'recommendation', PopularityParameters> = {
  name: 'popularity',
  tasks: ['recommendation'],
  parameters: z.strictObject({}),
  async fit(data, _parameters, context) {
    const scores = new Float32Array(data.catalogue.length);
    for (let at = 0; at < data.items.length; at++) if (isPositive(data, at)) scores[data.items[at]!]!++;
    await context.progress(1, 1);
    return { onnx: constantScores(scores), chosen: {}, facts: { items: scores.length } };
  },
};
