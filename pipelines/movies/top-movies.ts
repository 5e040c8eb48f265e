import { defineModel } from 'perennial-ml';
import { contract, rows, sources, split, target } from './sources.ts';

/** A rule that goes the same way as a learned model: the ten best rated films with at least fifty ratings. */
export const topMovies = defineModel({
  format: 1,
  name: 'top-movies',
  task: 'recommendation',
  intendedUse: 'To suggest well-known films to viewers of whom nothing is known, and as what a learned model must beat.',
  sources,
  contract,
  rows,
  target,
  split,
  train: [{ trainer: 'top-rated', with: { count: 10, minRatings: 50 } }],
  gate: { metric: 'ndcg@10', baselines: ['random'], champion: { rule: 'not-worse', margin: 0.01 } },
  retrain: { cron: '0 3 * * *', when: ['new-data'] },
});
