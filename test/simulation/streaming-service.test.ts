import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readMovieLens } from '../../bench/movielens.ts';
import type { MovieLens, Rating } from '../../bench/movielens.ts';
import { examine, examOf, lastPerUser } from '../../bench/protocols.ts';
import type { Exam } from '../../bench/protocols.ts';
import { bootstrap } from '../../core/bootstrap.ts';
import { mean } from '../../core/metrics/columns.ts';
import type { Trainer } from '../../core/trainer.ts';
import { trainers } from '../../trainers/index.ts';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';
import { trainingContext } from '../support/training.ts';

let folder: string;
let service: MovieLens;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streaming-service-'));
  await simulateStreamingService(folder);
  service = readMovieLens(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const inMonth = (month: number) => service.ratings.filter(({ timeMs }) => new Date(timeMs).getUTCMonth() + 1 === month);

const halves = (month: number | 'all') => lastPerUser(month === 'all' ? service.ratings : inMonth(month), 5);

/** nDCG@10 of each question by a trainer with its default parameters. */
async function marksOf(name: keyof typeof trainers, exam: Exam): Promise<number[]> {
  const trainer = trainers[name] as Trainer<'recommendation', unknown>;
  const { onnx } = await trainer.fit(exam.data, trainer.parameters.parse({}), trainingContext());
  return (await examine(onnx, exam)).map(({ ndcg }) => ndcg);
}

/** The lower end of the 95 % interval of the mean difference, paired by user. */
async function surely(better: readonly number[], worse: readonly number[]): Promise<number> {
  const clusters = Int32Array.from(better, (_, user) => user);
  const gain = mean(better.map((own, user) => own - worse[user]!));
  const [interval] = await bootstrap((times) => [gain(times)], { clusters, confidence: 0.95, resamples: 1000 });
  return interval!.low;
}

describe('the simulated streaming service', () => {
  test('the same seed gives the same files, another seed others', async () => {
    const small = { users: 60, films: 80, from: '2024-10-01', to: '2025-01-01' };
    const [one, again, other] = [join(folder, 'one'), join(folder, 'again'), join(folder, 'other')];
    await simulateStreamingService(one, small);
    await simulateStreamingService(again, small);
    await simulateStreamingService(other, { ...small, seed: 7 });
    for (const name of ['ratings.csv', 'movies.csv', 'tags.csv']) {
      expect(await readFile(join(again, name), 'utf8')).toBe(await readFile(join(one, name), 'utf8'));
      expect(await readFile(join(other, name), 'utf8')).not.toBe(await readFile(join(one, name), 'utf8'));
    }
  });

  test('ratings are halves from 0.5 to 5, once per viewer and film, of films that exist, inside the time asked for', () => {
    const pairs = new Set(service.ratings.map(({ user, film }) => `${user} ${film}`));
    expect(pairs.size).toBe(service.ratings.length);
    expect(new Set(service.ratings.map(({ value }) => value))).toEqual(new Set([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]));
    expect(service.ratings.every(({ film }) => service.films.has(film))).toBe(true);
    expect(service.ratings[0]!.timeMs).toBeGreaterThanOrEqual(Date.parse('2024-01-01'));
    expect(service.ratings.at(-1)!.timeMs).toBeLessThan(Date.parse('2026-01-01'));
    expect(service.ratings.length).toBeGreaterThan(100_000);
  });

  test('every title is another film, with its year', () => {
    const titles = [...service.films.values()].map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.every((title) => / \((19|20)\d\d\)$/.test(title))).toBe(true);
  });

  test('viewers and films arrive while it runs', () => {
    const firsts = (key: (rating: Rating) => number) => {
      const first = new Map<number, number>();
      for (const rating of service.ratings) if (!first.has(key(rating))) first.set(key(rating), rating.timeMs);
      return [...first.values()].filter((time) => time > Date.parse('2025-01-01')).length / first.size;
    };
    expect(firsts(({ user }) => user)).toBeGreaterThan(0.1);
    expect(firsts(({ film }) => film)).toBeGreaterThan(0.1);
  });

  test('Christmas films are watched in December', () => {
    const share = (ratings: readonly Rating[]) =>
      ratings.filter(({ film }) => service.films.get(film)!.categories.includes('Holiday')).length / ratings.length;
    expect(share(inMonth(12))).toBeGreaterThan(5 * share(inMonth(6)));
  });

  test.each(['all', 10, 12] as const)('what is learned beats the obvious answers on the rows of %s', async (month) => {
    const { known, heldOut } = halves(month);
    const exam = examOf(known, heldOut, service.films);
    const learned = await marksOf('blend', exam);
    for (const obvious of ['popularity', 'recent-popularity', 'top-rated'] as const)
      expect(await surely(learned, await marksOf(obvious, exam))).toBeGreaterThan(0);
    if (month === 'all') expect(await surely(learned, await marksOf('ease', exam))).toBeGreaterThan(0);
  });

  test.each([
    [10, 12],
    [12, 10],
  ])('on the rows of month %i its own model beats that of month %i', async (own, other) => {
    const [here, there] = [halves(own), halves(other)];
    const ownMarks = await marksOf('blend', examOf(here.known, here.heldOut, service.films));
    const otherMarks = await marksOf('blend', examOf(here.known, here.heldOut, service.films, { fittedOn: there.known }));
    expect(await surely(ownMarks, otherMarks)).toBeGreaterThan(0);
  });
});
