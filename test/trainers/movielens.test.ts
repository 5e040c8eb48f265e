import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readMovieLens } from '../../bench/movielens.ts';
import type { MovieLens } from '../../bench/movielens.ts';
import { examine, interactionsOf, lastFive, mean } from '../../bench/protocols.ts';
import { topK } from '../../core/top-k.ts';
import { withDuckdb } from '../../data/duckdb.ts';
import { trainers } from '../../trainers/index.ts';
import { realData } from '../support/real-data.ts';
import { trainingContext } from '../support/training.ts';
import { scoresById } from './ratings.ts';

const folder = realData('movielens-latest-small');
const onData = folder ? test : test.skip;

let movieLens: MovieLens;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'movielens-'));
  if (folder) movieLens = readMovieLens(folder);
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Film ids that a rule lists, in its order. */
async function listed(name: 'top-rated' | 'rated-at-least', given: object = {}): Promise<string[]> {
  const data = interactionsOf(movieLens.ratings, movieLens.films, movieLens.ratings.at(-1)!.timeMs);
  const trainer = trainers[name];
  const { onnx } = await trainer.fit(data, trainer.parameters.parse(given) as never, trainingContext());
  const scores = await scoresById(onnx, data, []);
  return topK([...scores.values()], 10_000).map((position) => data.catalogue[position]!.id);
}

/** The same in SQL: films with enough ratings, with `mean` and `count`. */
async function inSql(enough: string, rest: string): Promise<string[]> {
  const [ratings, movies] = ['ratings.csv', 'movies.csv'].map((name) => join(folder!, name)) as [string, string];
  const sql = `WITH ratings AS (FROM read_csv('${ratings}')), films AS (FROM read_csv('${movies}', quote = '"', escape = '"')),
    marks AS (SELECT movieId, avg(rating) AS mean, count(*) AS count FROM ratings GROUP BY movieId HAVING count(*) >= ${enough})
    SELECT CAST(movieId AS VARCHAR) AS id FROM marks JOIN films USING (movieId) ${rest}`;
  const context = { signal: new AbortController().signal, scratch };
  const rows = await withDuckdb({ read: [ratings, movies] }, context, (db) => db.rows(sql));
  return rows.map(({ id }) => String(id));
}

describe('on MovieLens', () => {
  onData('top rated is what plain SQL says, whether films need fifty ratings or a twentieth of the users', async () => {
    const best = 'ORDER BY mean DESC, count DESC, movieId LIMIT 10';
    expect(await listed('top-rated')).toEqual(await inSql('50', best));
    expect(await listed('top-rated', { minShare: 0.05 })).toEqual(await inSql('0.05 * (SELECT count(DISTINCT userId) FROM ratings)', best));
  });

  onData('four stars or more is what plain SQL says, in its alphabet', async () => {
    const list = await listed('rated-at-least');
    expect(list).toEqual(await inSql('50', 'WHERE mean >= 4 ORDER BY lower(strip_accents(title)), count DESC, movieId'));
    expect(list.length).toBeGreaterThan(50);
  });

  onData(
    'last 5: EASE is within .001 of the reference, and the blend above it',
    async () => {
      const { test: exam } = lastFive(movieLens);
      expect(exam.questions).toHaveLength(542);
      const ndcg = async (name: 'ease' | 'blend' | 'popularity') => {
        const { onnx } = await trainers[name].fit(exam.data, trainers[name].parameters.parse({}) as never, trainingContext());
        expect(onnx.length).toBeLessThan(30e6);
        return mean((await examine(onnx, exam)).map((marks) => marks.ndcg));
      };
      expect(Math.abs((await ndcg('ease')) - 0.0753)).toBeLessThan(0.001);
      expect(Math.abs((await ndcg('popularity')) - 0.042)).toBeLessThan(0.001);
      expect(await ndcg('blend')).toBeGreaterThan(0.074);
    },
    240_000,
  );
});
