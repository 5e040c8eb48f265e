import { defineModel } from 'perennial-ml';

/** What to watch next, from what a viewer liked. */
export const filmRecommender = defineModel({
  format: 1,
  name: 'film-recommender',
  task: 'recommendation',
  sources: {
    movies: { from: 'films:/movies.csv', read: 'csv', key: ['movieId'], columns: { movieId: 'key', title: 'text', genres: 'text' } },
    ratings: {
      from: 'films:/ratings.csv',
      read: 'csv',
      key: ['userId', 'movieId'],
      time: 'ratedAt',
      columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: { kind: 'time', named: 'timestamp', unit: 's' } },
    },
  },
  // A broken promise stops the run, and shows rows that broke it.
  contract: [
    { check: 'range', of: 'ratings.rating', min: 0.5, max: 5 },
    { check: 'references', of: 'ratings.movieId', to: 'movies.movieId' },
  ],
  rows: { sql: 'SELECT userId, movieId, rating, ratedAt FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4, describe: { source: 'movies', title: 'title', categories: 'genres' } },
  // The last five ratings of each viewer are the exam, the five before them choose among the candidates.
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [30, 100, 300] } }, { trainer: 'item-knn' }],
  // What it must beat before anybody is served by it.
  gate: { metric: 'ndcg@10', baselines: ['popularity', 'recent-popularity'], champion: { rule: 'not-worse', margin: 0.002 } },
  refit: 'all',
  retrain: { cron: '0 3 * * *', when: ['new-data'] },
});
