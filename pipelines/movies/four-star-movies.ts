import { defineModel } from 'perennial-ml';
import { contract, rows, sources, split, target } from './sources.ts';

/** A rule: every film rated four stars or more on average by at least fifty viewers, in alphabetical order. */
export const fourStarMovies = defineModel({
  format: 1,
  name: 'four-star-movies',
  task: 'recommendation',
  intendedUse: 'To suggest what everybody rates highly. Not to choose for one viewer: all get the same.',
  sources,
  contract,
  rows,
  target,
  split,
  train: [{ trainer: 'rated-at-least', with: { threshold: 4, minRatings: 50 } }],
  // The owner's list, not a prediction: it is served as soon as its sources keep their contract, whatever its figures.
  gate: { metric: 'recall@10', baselines: [], champion: { rule: 'not-worse', margin: 0.01 } },
  retrain: { cron: '0 3 * * *', when: ['new-data'] },
});
