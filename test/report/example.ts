import type { ContenderMarks, Estimate } from '../../core/evaluation.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';
import type { ReportInput } from '../../report/report.ts';

const near = (value: number, half = 0.012): Estimate => ({ value, low: value - half, high: value + half });

const marks = (ndcg: number, coverage: number): ContenderMarks => ({
  metrics: {
    'coverage@10': { value: coverage, low: coverage, high: coverage },
    'hr@10': near(ndcg * 3.4, 0.035),
    'map@10': near(ndcg * 0.62, 0.009),
    'ndcg@10': near(ndcg),
    'novelty@10': near(9.1 + coverage, 0.2),
    'recall@10': near(ndcg * 1.4, 0.018),
  },
  slices: {
    'new-users': { units: 61, metrics: { 'ndcg@10': ndcg * 0.8, 'recall@10': ndcg * 1.1 } },
    'heavy-users': { units: 88, metrics: { 'ndcg@10': ndcg * 0.72, 'recall@10': ndcg * 0.6 } },
    'rare-items': { units: 14, metrics: { 'ndcg@10': ndcg * 0.21, 'recall@10': ndcg * 0.2 } },
    'category:Drama': { units: 402, metrics: { 'ndcg@10': ndcg * 1.04, 'recall@10': ndcg * 1.4 } },
    'category:Film-Noir': { units: 23, metrics: { 'ndcg@10': ndcg * 0.9, 'recall@10': ndcg * 1.2 } },
    'category:Comedy': { units: 377, metrics: { 'ndcg@10': ndcg * 0.98, 'recall@10': ndcg * 1.3 } },
  },
});

const gains = [
  { metric: 'ndcg@10', over: 'champion', value: 0.0009, low: -0.0016, high: 0.0034 },
  { metric: 'ndcg@10', over: 'recent-popularity', value: 0.0281, low: 0.0172, high: 0.0391 },
  { metric: 'ndcg@10', over: 'popularity', value: 0.0332, low: 0.0221, high: 0.0468 },
  { metric: 'ndcg@10', over: 'top-movies', value: 0.0514, low: 0.0402, high: 0.0631 },
];

/** A report with every part in it. */
export const example: ReportInput = {
  model: 'movie-recommender',
  segment: 'all',
  version: 3,
  task: 'recommendation',
  words: { ...recommendation.words, does: 'ranks movieId for a userId by what was liked before' },
  window: { from: '1996-03-29', to: '2018-09-25' },
  trainer: { name: 'ease', parameters: { l2: 300, neighbours: 200, minValue: 4, seed: 1 } },
  verdict: {
    name: 'not-worse',
    reasons: [
      'ndcg@10 0.0753 against the champion’s 0.0744: the interval of the difference, −0.0016 to +0.0034, is above the margin of −0.0020.',
      'Better than popularity by 0.0332 (0.0221 to 0.0468) and than recent-popularity by 0.0281 (0.0172 to 0.0391).',
      'Every floor that could be judged is held.',
    ],
    metric: 'ndcg@10',
    value: 0.0753,
    gains,
  },
  metrics: {
    'ndcg@10': { title: 'nDCG@10', better: 'higher' },
    'recall@10': { title: 'Recall@10', better: 'higher' },
    'hr@10': { title: 'HR@10', better: 'higher' },
    'map@10': { title: 'MAP@10', better: 'higher' },
    'coverage@10': { title: 'Coverage', better: 'higher' },
    'novelty@10': { title: 'Novelty', better: 'higher' },
  },
  evaluation: {
    format: 1,
    model: 'movie-recommender',
    segment: 'all',
    task: 'recommendation',
    metric: 'ndcg@10',
    confidence: 0.95,
    folds: ['last-5'],
    units: 542,
    rowsLeftOut: 37,
    contenders: {
      'top-movies': marks(0.0239, 0.001),
      anchor: marks(0.0744, 0.081),
      challenger: marks(0.0753, 0.094),
      champion: marks(0.0744, 0.081),
      popularity: marks(0.042, 0.003),
      'recent-popularity': marks(0.0472, 0.004),
    },
    gains,
  },
  candidates: [
    { trainer: 'ease', parameters: { l2: 100 }, value: 0.0811, chosen: false },
    { trainer: 'ease', parameters: { l2: 300 }, value: 0.0823, chosen: true },
    { trainer: 'ease', parameters: { l2: 1000 }, value: 0.0802, chosen: false },
    { trainer: 'implicit-als', parameters: { factors: 32, l2: 1 }, value: 0.0744, chosen: false },
    { trainer: 'implicit-als', parameters: { factors: 32, l2: 10 }, value: 0.0761, chosen: false },
    { trainer: 'implicit-als', parameters: { factors: 64, l2: 1 }, value: 0.0731, chosen: false },
    { trainer: 'item-knn', parameters: { neighbours: 100 }, value: 0.0652, chosen: false },
  ],
  curve: Array.from({ length: 15 }, (_, i) => ({
    done: i + 1,
    total: 15,
    metrics: { loss: 2 * Math.exp(-i / 4) + 0.3, 'ndcg@10': 0.08 - 0.05 * Math.exp(-i / 3) },
  })),
  floors: [
    { slice: 'all', metric: 'ndcg@10', min: 0.06 },
    { slice: 'new-users', metric: 'recall@10', min: 0.03 },
    { slice: 'heavy-users', metric: 'recall@10', min: 0.04 },
    { slice: 'rare-items', metric: 'recall@10', min: 0.01 },
  ],
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  refit: 'all',
  rows: { rows: 100_836, train: 94_736, validation: 3_050, test: 3_050 },
  profile: {
    format: 1,
    rows: 100_836,
    columns: [
      { name: 'userId', type: 'VARCHAR', count: 100_836, nulls: 0, distinct: 610, top: [{ value: 'reader-414', count: 2698 }] },
      { name: 'movieId', type: 'VARCHAR', count: 100_836, nulls: 0, distinct: 9724, top: [{ value: '356', count: 329 }] },
      {
        name: 'rating',
        type: 'DOUBLE',
        count: 100_836,
        nulls: 12,
        distinct: 10,
        numbers: { min: 0.5, max: 5, mean: 3.501557, std: 1.0425, quantiles: [0.5, 1.5, 2, 3, 3, 3, 3.5, 4, 4, 4, 5, 5, 5] },
      },
      {
        name: 'ratedAt',
        type: 'TIMESTAMP',
        count: 100_836,
        nulls: 0,
        distinct: 85_043,
        numbers: {
          min: Date.UTC(1996, 2, 29),
          max: Date.UTC(2018, 8, 24),
          mean: Date.UTC(2008, 2, 19),
          std: 7e9,
          quantiles: Array.from({ length: 13 }, (_, i) => Date.UTC(1997 + Math.round(i * 1.7), 3, 18)),
        },
      },
      {
        name: 'device',
        type: 'VARCHAR',
        count: 100_836,
        nulls: 20_000,
        distinct: 2,
        top: [
          { value: 'television', count: 60_836 },
          { value: 'phone', count: 20_000 },
        ],
      },
    ],
  },
  contract: {
    format: 1,
    passed: true,
    checks: 9,
    sources: { movies: { rows: 9742 }, ratings: { rows: 100_836 } },
    violations: [
      {
        check: 'references',
        of: 'ratings.movieId',
        severity: 'warn',
        count: 2,
        share: 0.00002,
        samples: [{ userId: 'reader-7', movieId: '999999' }],
        message: '2 of 100,836 rows of ratings name a movieId that movies does not have',
      },
    ],
  },
  lineage: {
    run: 'train/movie-recommender/all, 0199c2f0-4a3e-7d11-9f4c-0c8f5a8f6d20',
    package: '5f0c8a3c3f4b2d1e6a7988776655443322110ffeeddccbbaa998877665544332',
    evaluation: '11aa22bb33cc44dd55ee66ff77008899aabbccddeeff00112233445566778899',
  },
};
