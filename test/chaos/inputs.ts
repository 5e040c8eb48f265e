import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSpec } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';
import { allRows } from '../../core/segment.ts';

/** One training that is asked for. */
export interface Training {
  readonly spec: ModelSpec<'recommendation'>;
  readonly segment: string;
  /** Which dataset it reads: equal numbers are equal inputs. */
  readonly dataset: number;
}

/** Trainings of one model and segment, one after the other: what each leaves depends on those before it, and on nothing else. */
export type Chain = readonly Training[];

const mostModels = 12;
/** So many of a hundred later runs train on ratings that no run before them saw. */
const newOf100 = 40;

/**
 * Chains of runs, as the seed chooses; together they are so many runs. A model of all rows and its twin of one segment read the same ratings at the same time, so
 * that they contend for what is made of them. They are two models, since a segment is held to the champion that all rows have at that moment. Six runs of a pair
 * are enough for a champion, a challenger and an unchanged repetition in each.
 */
export function planOf(runs: number, seed: number): readonly Chain[] {
  const draw = random(`chaos ${seed}`);
  const modelCount = Math.max(1, Math.min(mostModels, Math.floor(runs / 6)));
  const chains: Training[][] = Array.from({ length: 2 * modelCount }, () => []);
  const last: number[] = [];
  let datasets = 0;
  for (let at = 0; at < runs; at += 2) {
    const model = (at / 2) % modelCount;
    const turn = Math.floor(at / chains.length);
    const isNew = turn < 2 || (turn > 2 && draw.below(100) < newOf100);
    const dataset = isNew ? datasets++ : turn === 2 ? last[model]! : draw.below(datasets);
    last[model] = dataset;
    const pair = [
      { spec: recommender(model, dataset), segment: allRows, dataset },
      { spec: { ...recommender(model, dataset), name: `chaos-${model}-north` }, segment: 'region=north', dataset },
    ];
    pair.slice(0, runs - at).forEach((training, side) => chains[2 * model + side]!.push(training));
  }
  return chains;
}

/** Writes the ratings that the plan's runs read: tiny, and each dataset other people with other tastes. */
export async function writeInputs(folder: string, plan: readonly Chain[]): Promise<void> {
  const films = Array.from({ length: filmCount }, (_, at) => `${at},Film ${at},Genre ${at % genres}`);
  await writeFile(join(folder, 'films.csv'), `filmId,title,genres\n${films.join('\n')}\n`);
  const datasets = new Set(plan.flat().map(({ dataset }) => dataset));
  for (const dataset of datasets) await writeFile(join(folder, `ratings-${dataset}.csv`), ratings(dataset));
}

const viewers = 40;
const filmCount = 30;
const genres = 3;

function ratings(dataset: number): string {
  const draw = random(`ratings ${dataset}`);
  const lines = ['userId,filmId,rating,ratedAt,region'];
  for (let viewer = 0; viewer < viewers; viewer++) {
    const favourite = draw.below(genres);
    const seen = new Set(
      Array.from({ length: 16 }, () => (draw.below(4) > 0 ? favourite + genres * draw.below(filmCount / genres) : draw.below(filmCount))),
    );
    [...seen].forEach((film, at) => {
      const day = String(1 + (at % 28)).padStart(2, '0');
      lines.push(`${viewer},${film},${film % genres === favourite ? 5 : 2},2024-03-${day}T12:00:00Z,${viewer % 2 === 0 ? 'north' : 'south'}`);
    });
  }
  return `${lines.join('\n')}\n`;
}

/** Every other model trains in epochs, with a checkpoint after each; every third goes all the way, with a baseline, a second fit and an approval. */
function recommender(model: number, dataset: number): ModelSpec<'recommendation'> {
  const isShort = model % 3 > 0;
  return {
    format: 1,
    name: `chaos-${model}`,
    task: 'recommendation',
    sources: {
      films: { from: 'catalogue:/films.csv', read: 'csv', key: ['filmId'], columns: { filmId: 'key', title: 'text', genres: 'text' } },
      ratings: {
        from: `catalogue:/ratings-${dataset}.csv`,
        read: 'csv',
        key: ['userId', 'filmId'],
        time: 'ratedAt',
        columns: { userId: 'key', filmId: 'key', rating: 'number', ratedAt: 'time', region: 'text' },
      },
    },
    contract: [{ check: 'range', of: 'ratings.rating', min: 1, max: 5 }],
    rows: {
      sql: 'SELECT userId, filmId, rating, ratedAt, region FROM ratings SEMI JOIN films USING (filmId)',
      key: ['userId', 'filmId'],
      time: 'ratedAt',
    },
    target: {
      user: 'userId',
      item: 'filmId',
      value: 'rating',
      relevantFrom: 3.5,
      describe: { source: 'films', title: 'title', categories: 'genres' },
    },
    segments: { by: 'region', only: ['north'] },
    split: { by: 'last-per', column: 'userId', validation: 2, test: 2 },
    train: [model % 2 === 0 ? { trainer: 'bpr', with: { factors: 8, epochs: 3 } } : { trainer: 'ease', with: { l2: 100 } }],
    gate: { metric: 'ndcg@10', baselines: isShort ? [] : ['random'], champion: { rule: 'not-worse', margin: 0.2 } },
    refit: isShort ? 'none' : 'all',
    approval: isShort ? 'none' : { role: 'approver', within: '1d' },
  };
}
