import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { ageDays, isPositive } from './positives.ts';
import { constantScores } from './recommender-graph.ts';

export interface RecentPopularityParameters {
  /** Only positives of the last so many days before the end of the fitted rows count. */
  readonly days: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    'recent-popularity': RecentPopularityParameters;
  }
}

/** What most people liked lately. Ties go to the item with more interactions overall, then to the lower id. */
export const recentPopularity: Trainer<'recommendation', RecentPopularityParameters> = {
  name: 'recent-popularity',
  tasks: ['recommendation'],
  parameters: z.strictObject({ days: z.number().positive().default(365) }),
  async fit(data, { days }, context) {
    const scores = new Float32Array(data.catalogue.length);
    for (let at = 0; at < data.items.length; at++) {
      if (isPositive(data, at) && ageDays(data, at) <= days) scores[data.items[at]!]!++;
    }
    await context.progress(1, 1);
    return { onnx: constantScores(scores), chosen: { days }, facts: { items: scores.length } };
  },
};
