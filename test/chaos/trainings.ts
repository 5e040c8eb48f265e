import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSpec, TrainEntry } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';
import { deliveries, late, size } from '../workflows/deliveries.ts';

/** Rows for every trainer: what a killed training learns from. */
export async function writeTrainingRows(folder: string): Promise<void> {
  await writeFile(join(folder, 'deliveries.csv'), deliveries(20_000));
  await writeFile(
    join(folder, 'films.csv'),
    ['filmId,title,genres', ...Array.from({ length: filmCount }, (_, film) => `${film},Film ${film},Genre ${film % genres}`)].join('\n'),
  );
  await writeFile(join(folder, 'ratings.csv'), ratings());
}

const filmCount = 1500;
const viewers = 2000;
const genres = 5;

function ratings(): string {
  const draw = random('ratings of many films');
  const lines = ['userId,filmId,rating,ratedAt'];
  for (let viewer = 0; viewer < viewers; viewer++) {
    const favourite = draw.below(genres);
    const seen = new Set(
      Array.from({ length: 40 }, () => (draw.below(4) > 0 ? favourite + genres * draw.below(filmCount / genres) : draw.below(filmCount))),
    );
    for (const film of seen) {
      const at = new Date(Date.UTC(2024, 0, 1) + draw.below(300 * 86_400) * 1000).toISOString();
      lines.push(`${viewer},${film},${film % genres === favourite ? 5 : 2},${at}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What each trainer is given so that it takes seconds, where it can. */
export const entries = {
  gbdt: { trainer: 'gbdt', with: { trees: 300, leaves: 63, patience: 300 } },
  linear: { trainer: 'linear', with: { l2: 1e-6 } },
  bpr: { trainer: 'bpr', with: { factors: 64, negatives: 40, epochs: 12 } },
  'implicit-als': { trainer: 'implicit-als', with: { factors: 96, epochs: 12 } },
  'python: pytorch': { trainer: 'python', with: { script: 'pytorch', parameters: { epochs: 12, patience: 12 } } },
  'python: lightgbm': { trainer: 'python', with: { script: 'lightgbm' } },
  blend: { trainer: 'blend' },
  ease: { trainer: 'ease', with: { l2: 100 } },
  'item-knn': { trainer: 'item-knn' },
  'one-feature': { trainer: 'one-feature' },
  constant: { trainer: 'constant' },
  random: { trainer: 'random' },
  popularity: { trainer: 'popularity' },
  'recent-popularity': { trainer: 'recent-popularity' },
  'top-rated': { trainer: 'top-rated' },
  'rated-at-least': { trainer: 'rated-at-least' },
} as const satisfies Readonly<Record<string, TrainEntry>>;

export type Entry = keyof typeof entries;

/** Trainers that keep checkpoints and take long enough here to be met after one. */
export const goingOn: ReadonlySet<string> = new Set<Entry>(['gbdt', 'linear', 'bpr', 'implicit-als']);

const ofFilms: ReadonlySet<string> = new Set([
  ...['random', 'popularity', 'recent-popularity', 'top-rated', 'rated-at-least'],
  ...['item-knn', 'ease', 'blend', 'implicit-als', 'bpr'],
]);

/** A model of one trainer and no baselines: its fits are the only ones. */
export function modelOf(name: Entry): ModelSpec {
  const train = [entries[name]];
  const called = { name: name.replaceAll(/[^a-z]+/g, '-'), train, refit: 'none' } as const;
  // Two classes are too quick.
  if (name === 'linear') return { ...size, ...called, gate: { metric: 'log-loss', baselines: ['constant'] } } as unknown as ModelSpec;
  if (!ofFilms.has(name)) return { ...late, ...called, gate: { metric: 'roc-auc', baselines: [] } } as unknown as ModelSpec;
  return { ...films, ...called } as unknown as ModelSpec;
}

const films = {
  format: 1,
  task: 'recommendation',
  sources: {
    films: { from: 'catalogue:/films.csv', read: 'csv', key: ['filmId'], columns: { filmId: 'key', title: 'text', genres: 'text' } },
    ratings: {
      from: 'catalogue:/ratings.csv',
      read: 'csv',
      key: ['userId', 'filmId'],
      time: 'ratedAt',
      columns: { userId: 'key', filmId: 'key', rating: 'number', ratedAt: 'time' },
    },
  },
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'filmId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'filmId', value: 'rating', relevantFrom: 3.5, describe: { source: 'films', title: 'title', categories: 'genres' } },
  split: { by: 'last-per', column: 'userId', validation: 2, test: 2 },
  gate: { metric: 'ndcg@10', baselines: [] },
} as const;
