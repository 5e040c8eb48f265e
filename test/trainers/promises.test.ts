import { describe, expect, test } from '@jest/globals';
import { interactionsOf } from '../../bench/protocols.ts';
import type { Rating } from '../../bench/movielens.ts';
import { random } from '../../core/random.ts';
import type { Trainer } from '../../core/trainer.ts';
import { signature } from '../../core/tasks/recommendation.ts';
import { readModel } from '../../onnx/reader.ts';
import { trainers } from '../../trainers/index.ts';
import { NOT_RECOMMENDED } from '../../trainers/rules.ts';
import { trainingContext } from '../support/training.ts';
import { scoresById } from './ratings.ts';

const day = 86_400_000;

/** 120 people of two tastes: even and odd films. Film 40 is new and liked by all. */
function twoTastes() {
  const draw = random('two tastes');
  const ratings: Rating[] = [];
  for (let user = 0; user < 120; user++) {
    for (let film = 0; film < 40; film++) {
      const suits = film % 2 === user % 2;
      if (draw.next() < (suits ? 0.5 : 0.15)) ratings.push({ user, film, value: suits ? 5 : 2.5, timeMs: draw.below(700) * day });
    }
    ratings.push({ user, film: 40, value: 4.5, timeMs: (700 + draw.below(20)) * day });
  }
  ratings.sort((a, b) => a.timeMs - b.timeMs || a.user - b.user || a.film - b.film);
  const films = new Map(Array.from({ length: 41 }, (_, film) => [film, { id: String(film), title: `Film ${film}`, categories: [] }]));
  return interactionsOf(ratings, films, 730 * day);
}

const data = twoTastes();
const recommends = ({ tasks }: Trainer) => tasks.includes('recommendation');
const all = Object.values<Trainer>(trainers)
  .filter(recommends)
  .map((trainer): [string, Trainer] => [trainer.name, trainer]);
const learned = (['item-knn', 'ease', 'implicit-als', 'bpr', 'blend'] as const).map((name): [string, Trainer] => [name, trainers[name]]);
const iterative = (['implicit-als', 'bpr'] as const).map((name): [string, Trainer] => [name, trainers[name]]);
const fit = (trainer: Trainer, context = trainingContext()) => trainer.fit(data, trainer.parameters.parse({}), context);

describe('what every trainer promises', () => {
  test.each(all)('%s: the model has the signature of its task', async (_name, trainer) => {
    const { inputs, outputs } = readModel((await fit(trainer)).onnx);
    expect(inputs).toEqual(signature.inputs);
    expect(outputs).toEqual([{ name: 'scores', type: 'float32', dims: [data.catalogue.length] }]);
  });

  test.each(all)('%s: the same rows and seed give the same bytes', async (_name, trainer) => {
    expect(Buffer.compare((await fit(trainer)).onnx, (await fit(trainer)).onnx)).toBe(0);
  });

  test.each(all)('%s: a user without history gets a score for every item, or a clear no', async (_name, trainer) => {
    for (const score of (await scoresById((await fit(trainer)).onnx, data, [])).values()) {
      expect(Number.isFinite(score) || score === NOT_RECOMMENDED).toBe(true);
    }
  });

  test.each(all)('%s: what it chose is parameters that it accepts, and with them it chooses the same', async (_name, trainer) => {
    for (const best of [1, 2, 3]) {
      let marks = 0;
      const chosen = await fit(trainer, trainingContext({ validate: async () => (++marks === best ? 1 : 0.1) }));
      const again = await trainer.fit(data, trainer.parameters.parse(chosen.chosen), trainingContext());
      expect(again.chosen).toEqual(chosen.chosen);
      expect(Buffer.compare(again.onnx, chosen.onnx)).toBe(0);
    }
  });

  test.each(all)('%s: rows without a single like give a model, not an error', async (_name, trainer) => {
    const film = { id: '1', title: 'Film 1', categories: [] };
    const disliked = interactionsOf([{ user: 1, film: 1, value: 1, timeMs: 0 }], new Map([[1, film]]), 0);
    const { onnx } = await trainer.fit(disliked, trainer.parameters.parse({}), trainingContext());
    const score = (await scoresById(onnx, disliked, [{ id: '1' }])).get('1')!;
    expect(Number.isFinite(score) || score === NOT_RECOMMENDED).toBe(true);
  });

  test.each(learned)('%s: an unknown user with a few likes gets films of that taste', async (_name, trainer) => {
    const scores = await scoresById((await fit(trainer)).onnx, data, [{ id: '1' }, { id: '3' }, { id: '5' }]);
    const taste = (parity: number) =>
      [...scores].filter(([id]) => Number(id) % 2 === parity && Number(id) > 5 && id !== '40').map(([, score]) => score);
    expect(Math.min(...taste(1))).toBeGreaterThan(Math.max(...taste(0)));
  });

  test.each(learned)('%s: stops soon after it is cancelled', async (_name, trainer) => {
    const controller = new AbortController();
    let calls = 0;
    const progress = async () => {
      if (++calls === 1) controller.abort();
    };
    await expect(fit(trainer, trainingContext({ signal: controller.signal, progress }))).rejects.toThrow();
    expect(calls).toBe(1);
  });
});

describe('trainers that go in steps', () => {
  test.each(iterative)('%s: killed at any epoch it goes on from the checkpoint and ends with the same bytes', async (_name, trainer) => {
    const whole = await fit(trainer);
    for (const killedAt of [1, 4, 9]) {
      let saves = 0;
      let saved: Uint8Array | undefined;
      const save = async (bytes: Uint8Array) => {
        saved = bytes.slice();
        if (++saves === killedAt) throw new Error('killed');
      };
      await expect(fit(trainer, trainingContext({ checkpoint: { load: async () => saved, save } }))).rejects.toThrow('killed');
      const resumed = await fit(trainer, trainingContext({ checkpoint: { load: async () => saved, save: async () => {} } }));
      expect(Buffer.compare(resumed.onnx, whole.onnx)).toBe(0);
    }
  });

  test.each(iterative)('%s: killed while it chooses, it makes the same choice', async (_name, trainer) => {
    const marks = [0.1, 0.3, 0.2, 0.25, 0.28, 0.2, 0.1, 0.9];
    const validateFrom = (epoch: number) => async () => marks[epoch++]!;
    const whole = await fit(trainer, trainingContext({ validate: validateFrom(0) }));
    expect(whole.chosen).toMatchObject({ epochs: 2 });
    let saved: Uint8Array | undefined;
    let saves = 0;
    const save = async (bytes: Uint8Array) => {
      saved = bytes.slice();
      if (++saves === 4) throw new Error('killed');
    };
    await expect(fit(trainer, trainingContext({ validate: validateFrom(0), checkpoint: { load: async () => saved, save } }))).rejects.toThrow(
      'killed',
    );
    const resumed = await fit(trainer, trainingContext({ validate: validateFrom(4), checkpoint: { load: async () => saved, save: async () => {} } }));
    expect(resumed.chosen).toEqual(whole.chosen);
    expect(Buffer.compare(resumed.onnx, whole.onnx)).toBe(0);
  });

  test.each(iterative)('%s: tells a learning curve when it can validate', async (_name, trainer) => {
    const curve: number[] = [];
    let mark = 0;
    const progress = async (_done: number, _total: number, metrics?: Readonly<Record<string, number>>) => {
      if (metrics) curve.push(metrics['validation']!);
    };
    await fit(trainer, trainingContext({ validate: async () => ++mark, progress }));
    expect(curve.length).toBeGreaterThan(10);
    expect(curve).toEqual(curve.map((_, at) => at + 1));
  });
});

describe('popularity', () => {
  const likes = (film: number, ageDays: number, count: number): Rating[] =>
    Array.from({ length: count }, (_, at) => ({ user: 100 * film + at, film, value: 4, timeMs: (1000 - ageDays) * day }));
  const ratings = [
    ...likes(1, 900, 6),
    ...likes(2, 10, 4),
    ...likes(3, 10, 4),
    ...likes(3, 900, 1),
    { user: 1, film: 2, value: 1, timeMs: 1000 * day },
  ];
  const films = new Map([1, 2, 3].map((id) => [id, { id: String(id), title: `Film ${id}`, categories: [] }]));
  const rows = interactionsOf(ratings, films, 1000 * day);

  test('counts likes, not ratings', async () => {
    const scores = await scoresById((await trainers.popularity.fit(rows, {}, trainingContext())).onnx, rows, []);
    expect([...scores]).toEqual([
      ['1', 6],
      ['2', 4],
      ['3', 5],
    ]);
  });

  test('of the last year counts only the last year', async () => {
    const { onnx } = await trainers['recent-popularity'].fit(rows, { days: 365 }, trainingContext());
    expect(Object.fromEntries(await scoresById(onnx, rows, []))).toEqual({ 1: 0, 2: 4, 3: 4 });
  });

  test('random is another order for another seed', async () => {
    const of = async (seed: number) => (await fit(trainers.random, trainingContext({ seed }))).onnx;
    expect(Buffer.compare(await of(1), await of(2))).not.toBe(0);
  });
});

describe('the blend', () => {
  test('an old like says less than a new one', async () => {
    const { onnx } = await fit(trainers.blend);
    const odd = await scoresById(onnx, data, [
      { id: '1', age: 3000 },
      { id: '2', age: 0 },
    ]);
    const even = await scoresById(onnx, data, [
      { id: '1', age: 0 },
      { id: '2', age: 3000 },
    ]);
    expect(odd.get('7')!).toBeLessThan(even.get('7')!);
    expect(odd.get('8')!).toBeGreaterThan(even.get('8')!);
  });

  test('somebody without history gets what is popular now', async () => {
    const scores = await scoresById((await fit(trainers.blend)).onnx, data, []);
    expect([...scores].toSorted(([, a], [, b]) => b - a)[0]![0]).toBe('40');
  });
});
