import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { constantScores } from './recommender-graph.ts';
import { listScores, minimum, ratedItems } from './rules.ts';
import type { Minimum } from './rules.ts';

export interface TopRatedParameters extends Minimum {
  /** How many items the list has. */
  readonly count: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    'top-rated': TopRatedParameters;
  }
}

/** A rule: the `count` items of the highest mean rating, and nothing else. Ties go to the item with more ratings, then to the lower id. */
export const topRated: Trainer<'recommendation', TopRatedParameters> = {
  name: 'top-rated',
  tasks: ['recommendation'],
  parameters: z.strictObject({ count: z.int().positive().default(10), ...minimum }),
  async fit(data, parameters, context) {
    const eligible = ratedItems(data, parameters);
    const list = eligible.toSorted((a, b) => b.mean - a.mean || a.position - b.position).slice(0, parameters.count);
    await context.progress(1, 1);
    return {
      onnx: constantScores(listScores(list, data.catalogue.length)),
      chosen: { ...parameters },
      facts: { eligible: eligible.length, listed: list.length },
    };
  },
};
