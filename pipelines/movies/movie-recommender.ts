import { defineModel } from 'perennial-ml';
import { contract, rows, sources, split, target } from './sources.ts';

/** What to watch next, from what a viewer liked. October and December have champions of their own; every other request gets that of all rows. */
export const movieRecommender = defineModel({
  format: 1,
  name: 'movie-recommender',
  task: 'recommendation',
  intendedUse:
    'To suggest what viewers may like to watch next. Not to decide what a catalogue should hold, nor to say who somebody is from what he likes.',
  sources,
  contract,
  rows,
  target,
  segments: { by: 'month-of-year(ratedAt)', only: [10, 12] },
  split,
  // Taste and the present together: how much the present counts is chosen on the validation rows.
  train: [{ trainer: 'blend' }],
  gate: {
    metric: 'ndcg@10',
    confidence: 0.95,
    baselines: ['popularity', 'recent-popularity', 'model:top-movies'],
    champion: { rule: 'not-worse', margin: 0.002 },
    limits: { sizeMb: 200, p99Ms: 50 },
    plausible: { best: 0.6, because: 'nobody can tell the next films of most viewers: published figures of such data are below 0.2' },
  },
  refit: 'all',
  retrain: { cron: '0 3 * * *', when: ['new-data'] },
});
