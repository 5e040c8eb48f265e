import { z } from 'zod';
import type { Item } from '../manifest.ts';
import { meanOf, ratioOf } from '../metrics/columns.ts';
import type { Signature, Task } from '../task.ts';
import { exam, examples, feeds } from './recommendation-exam.ts';
import { answer, coverage, mark } from './recommendation-marks.ts';
import { sliceTitles } from './recommendation-slices.ts';

/** Ratings (or views) with users and items as positions. Parallel arrays, one element per interaction, ordered by time, then user, then item. */
export interface Interactions {
  readonly users: Int32Array;
  /**
   * Positions in `catalogue`. -1 in held-out interactions: an item that the known rows lack, which nobody can recommend. Below -1: an item that the
   * known rows have but this model's catalogue lacks, each by a number of its own; it speaks for no taste and is never recommended.
   */
  readonly items: Int32Array;
  /** The rating; 1 where the spec has no `value`. */
  readonly values: Float32Array;
  /** Milliseconds since 1970. */
  readonly timesMs: Float64Array;
  readonly userIds: readonly string[];
  /** Every item of the fitted rows, most interactions first, ties by id (as numbers where all are): an equal score goes to the earlier one. */
  readonly catalogue: readonly Item[];
  /** An interaction is a positive when its value is at least this. */
  readonly relevantFrom: number;
  /** When the request is made: the end of the fitted rows. Ages in a request count back from here. */
  readonly asOfMs: number;
}

/** What is asked of a recommender: positions of known items with their ratings and ages, newest last. */
export interface RecommendationQuestion {
  readonly unit: string;
  readonly items: readonly number[];
  readonly values: readonly number[];
  readonly agesDays: readonly number[];
  /** Positions that must not be recommended: all that the user interacted with, not only what they liked. */
  readonly exclude: readonly number[];
  /** Held-out positives as positions; -1 for unknown items (they count as missed). Empty outside an exam. */
  readonly relevant: readonly number[];
}

export interface Ranking {
  /** Positions, best first. */
  readonly items: readonly number[];
  readonly scores: readonly number[];
}

export interface RecommendationTarget {
  readonly user: string;
  readonly item: string;
  readonly value?: string;
  /** An interaction with at least this value is relevant. */
  readonly relevantFrom: number;
  /** The source that describes the items, and its columns of titles and of categories (separated by `|`). */
  readonly describe?: { readonly source: string; readonly title: string; readonly categories: string };
}

declare module '../task.ts' {
  interface TaskTypes {
    recommendation: {
      readonly data: Interactions;
      readonly target: RecommendationTarget;
      readonly question: RecommendationQuestion;
      readonly answer: Ranking;
      readonly metric: 'ndcg@10' | 'recall@10' | 'hr@10' | 'map@10' | 'coverage@10' | 'novelty@10';
      readonly baseline: 'random' | 'popularity' | 'recent-popularity';
      readonly slice: 'new-users' | 'heavy-users' | 'rare-items' | `category:${string}`;
      readonly finish: Record<never, never>;
      readonly finishMetric: never;
    };
  }
}

/**
 * What a recommender takes and gives. `items` are the catalogue positions of what the user liked, newest last; `values` their ratings; `ages` the
 * days between each and the request, never negative. All three have the same length, 0 for a user without history. `scores` has one number for
 * each position of the catalogue, higher is better; −∞ says "not to be recommended". Leaving out what the user knows, and the best k with ties to
 * the earlier position, happen outside the model (`topK`).
 */
export const signature: Signature = {
  inputs: [
    { name: 'items', type: 'int64', dims: [-1] },
    { name: 'values', type: 'float32', dims: [-1] },
    { name: 'ages', type: 'float32', dims: [-1] },
  ],
  outputs: [{ name: 'scores', type: 'float32', dims: [-1] }],
};

/** Recommending items to users from what they liked: rankings, marked by what each user liked next. */
export const recommendation: Task<'recommendation'> = {
  kind: 'recommendation',
  words: {
    unit: ['user', 'users'],
    does: ({ user, item }) => `ranks ${item} for a ${user} by what was liked before`,
    limits: [
      'The exam repeats what people did under the conditions of their time; it cannot see what they would have done had the model served them.',
    ],
  },
  target: z.strictObject({
    user: z.string(),
    item: z.string(),
    value: z.string().optional(),
    relevantFrom: z.number(),
    describe: z.strictObject({ source: z.string(), title: z.string(), categories: z.string() }).optional(),
  }),
  asks: 'itself',
  signature: () => signature,
  metrics: {
    'ndcg@10': meanOf('nDCG@10', 'ndcg'),
    'recall@10': meanOf('Recall@10', 'recall'),
    'hr@10': meanOf('Hit rate@10', 'hit'),
    'map@10': meanOf('MAP@10', 'averagePrecision'),
    'coverage@10': coverage,
    // Mean self-information in bits: Vargas & Castells, "Rank and relevance in novelty and diversity metrics", RecSys 2011; above 1, not 0–1.
    'novelty@10': ratioOf('Novelty@10 (bits)', 'selfInformation', 'recommended'),
  },
  baselines: {
    random: { trainer: 'random', parameters: {} },
    popularity: { trainer: 'popularity', parameters: {} },
    'recent-popularity': { trainer: 'recent-popularity', parameters: {} },
  },
  slices: sliceTitles,
  gate: { metric: 'ndcg@10', baselines: ['popularity', 'recent-popularity'] },
  exam,
  examples,
  feeds,
  answer,
  mark,
};
