import { expect, test } from '@jest/globals';
import { defineModel } from '../../core/model-spec.ts';
import '../../core/tasks/index.ts';
import '../../trainers/index.ts';

/** What compiles, and what must not: the type checker is the test. Each `@ts-expect-error` fails the build when its line compiles. */
const base = {
  format: 1,
  name: 'movie-recommender',
  task: 'recommendation',
  sources: {
    movies: { from: 'catalogue:/movies.csv', read: 'csv', key: ['movieId'], columns: { movieId: 'key', title: 'text', genres: 'text' } },
    ratings: {
      from: 'user-data-api:/v1/ratings',
      read: 'json-pages',
      key: ['userId', 'movieId'],
      time: 'ratedAt',
      columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' },
    },
  },
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4, describe: { source: 'movies', title: 'title', categories: 'genres' } },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [100, 300, 1000] } }],
} as const;

test('a whole spec compiles, and stays the value that it was', () => {
  const spec = defineModel({
    ...base,
    contract: [
      { check: 'range', of: 'ratings.rating', min: 0.5, max: 5 },
      { check: 'references', of: 'ratings.movieId', to: 'movies.movieId' },
      { check: 'row-count', of: 'movies', min: 1 },
    ],
    segments: { by: 'month-of-year(ratedAt)', only: [10, 12] },
    gate: {
      metric: 'ndcg@10',
      baselines: ['popularity', 'model:top-movies'],
      champion: { rule: 'not-worse', margin: 0.002 },
      floors: [
        { slice: 'new-users', metric: 'recall@10', min: 0.03 },
        { slice: 'category:Comedy', metric: 'hr@10', min: 0.1 },
      ],
      limits: { sizeMb: 200, p99Ms: 10 },
    },
    refit: 'all',
    retrain: { cron: '0 3 * * *', when: ['new-data'] },
  });
  expect(spec.name).toBe('movie-recommender');
  const name: 'movie-recommender' = spec.name;
  expect(name).toBe(spec.name);
});

test('what is misspelt does not compile', () => {
  // @ts-expect-error a key that is no column of its source
  defineModel({ ...base, sources: { ...base.sources, movies: { ...base.sources.movies, key: ['movieID'] } } });
  // @ts-expect-error a time that is no column of its source
  defineModel({ ...base, sources: { ...base.sources, movies: { ...base.sources.movies, time: 'releasedAt' } } });
  // @ts-expect-error an unknown column kind
  defineModel({ ...base, sources: { ...base.sources, movies: { ...base.sources.movies, columns: { movieId: 'kee' } } } });
  // @ts-expect-error an unknown reader
  defineModel({ ...base, sources: { ...base.sources, movies: { ...base.sources.movies, read: 'xml' } } });
  // @ts-expect-error a place without a connection
  defineModel({ ...base, sources: { ...base.sources, movies: { ...base.sources.movies, from: '/etc/passwd' } } });
  // @ts-expect-error a check of a column that is not there
  defineModel({ ...base, contract: [{ check: 'range', of: 'ratings.raiting', min: 1 }] });
  // @ts-expect-error a check of a column that another source has
  defineModel({ ...base, contract: [{ check: 'not-null', of: 'movies.rating' }] });
  // @ts-expect-error a count of a source that is not there
  defineModel({ ...base, contract: [{ check: 'row-count', of: 'films', min: 1 }] });
  // @ts-expect-error a row key that is no column
  defineModel({ ...base, rows: { ...base.rows, key: ['user'] } });
  // @ts-expect-error a target column that is not there
  defineModel({ ...base, target: { ...base.target, item: 'filmId' } });
  // @ts-expect-error a segment by a column that is not there
  defineModel({ ...base, segments: { by: 'month-of-year(seenAt)', only: [10] } });
  // @ts-expect-error segments that name no values
  defineModel({ ...base, segments: { by: 'month-of-year(ratedAt)' } });
  // @ts-expect-error a split by a column that is not there
  defineModel({ ...base, split: { ...base.split, column: 'user' } });
  // @ts-expect-error an unknown metric
  defineModel({ ...base, gate: { metric: 'ndgc@10' } });
  // @ts-expect-error an unknown slice
  defineModel({ ...base, gate: { metric: 'ndcg@10', floors: [{ slice: 'old-users', metric: 'recall@10', min: 0.1 }] } });
  // @ts-expect-error an unknown baseline
  defineModel({ ...base, gate: { metric: 'ndcg@10', baselines: ['popularities'] } });
  // @ts-expect-error an unknown trainer
  defineModel({ ...base, train: [{ trainer: 'eas' }] });
  // @ts-expect-error an unknown parameter
  defineModel({ ...base, train: [{ trainer: 'ease', try: { l22: [1] } }] });
  // @ts-expect-error a parameter of another type
  defineModel({ ...base, train: [{ trainer: 'ease', with: { l2: 'much' } }] });
  // @ts-expect-error another trainer's parameter
  defineModel({ ...base, train: [{ trainer: 'ease', with: { factors: 10 } }] });
  // @ts-expect-error an unknown task
  defineModel({ ...base, task: 'regresion' });
  // @ts-expect-error an unknown field
  defineModel({ ...base, approvals: 'none' });
  // @ts-expect-error a source that does not describe items
  defineModel({ ...base, target: { ...base.target, describe: { source: 'films', title: 'title', categories: 'genres' } } });
  expect(true).toBe(true);
});

const table = {
  ...base,
  task: 'regression',
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  request: { movieId: 'key', ratedAt: 'time' },
  target: { column: 'rating' },
  train: [{ trainer: 'constant' }],
} as const;

test('what a task cannot give besides the answer does not compile', () => {
  const interval = { coverage: 0.8 } as const;
  const floor = (metric: 'interval-coverage') => ({ metric: 'mae', floors: [{ slice: 'all', metric, min: 0.75 }] }) as const;
  defineModel({ ...table, interval, gate: floor('interval-coverage') });
  // @ts-expect-error a floor of intervals that nothing asks for
  defineModel({ ...table, gate: floor('interval-coverage') });
  // @ts-expect-error a coverage that is called otherwise
  defineModel({ ...table, interval: { confidence: 0.8 } });
  // @ts-expect-error no baseline has an interval, so the gate cannot go by it
  defineModel({ ...table, interval, gate: { metric: 'interval-coverage' } });
  // @ts-expect-error intervals of probabilities
  defineModel({ ...table, task: 'binary', interval });
  const threshold = { falsePositive: 1, falseNegative: 10 } as const;
  const calls = { metric: 'roc-auc', floors: [{ slice: 'all', metric: 'savings', min: 0.2 }] } as const;
  defineModel({ ...table, task: 'binary', threshold, calibration: 'platt', gate: calls });
  // @ts-expect-error a floor of calls where there are none
  defineModel({ ...table, task: 'binary', calibration: 'platt', gate: calls });
  // @ts-expect-error a calibration that is called otherwise
  defineModel({ ...table, task: 'binary', calibration: 'sigmoid' });
  // @ts-expect-error a threshold of numbers
  defineModel({ ...table, threshold });
  // @ts-expect-error a threshold of more than two classes
  defineModel({ ...table, task: 'multiclass', threshold });
  // @ts-expect-error intervals of rankings
  defineModel({ ...base, interval });
  expect(true).toBe(true);
});
