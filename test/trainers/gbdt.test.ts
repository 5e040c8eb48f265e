import { describe, expect, test } from '@jest/globals';
import { random } from '../../core/random.ts';
import { fitForest } from '../../trainers/gbdt/fit.ts';
import { importance, predict, scoresOf } from '../../trainers/gbdt/forest.ts';
import type { GbdtOptions, Loss } from '../../trainers/gbdt/options.ts';
import { manyRows, plainRows, ROWS } from './gbdt-rows.ts';

const few = { trees: 12, leaves: 15 } satisfies Partial<GbdtOptions>;
const { many, heldOut } = manyRows();
const bytesOf = (value: unknown) => JSON.stringify(value);

describe('the first split', () => {
  const draw = random('tiny');
  const rows = 40;
  const columns = Array.from({ length: 3 }, () => Float64Array.from({ length: rows }, () => Math.round(10 * draw.next())));
  columns[1]!.forEach((_, row) => {
    if (draw.next() < 0.2) columns[1]![row] = NaN;
  });
  const labels = Float64Array.from({ length: rows }, (_, row) => columns[0]![row]! + (Number.isNaN(columns[1]![row]!) ? 9 : 0) + draw.normal());

  /** What the squared error falls by when each side takes its mean. */
  function gainOf(isLeft: (row: number) => boolean): number {
    const error = (values: number[]) => {
      const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
      return values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
    };
    const all = [...labels];
    const [left, right] = [all.filter((_, row) => isLeft(row)), all.filter((_, row) => !isLeft(row))];
    return left.length < 3 || right.length < 3 ? 0 : error(all) - error(left) - error(right);
  }

  test('is the best of all thresholds of all features, with missing values on either side', async () => {
    let most = 0;
    for (const column of columns) {
      for (const threshold of [...column, Infinity]) {
        for (const missingLeft of [false, true]) {
          most = Math.max(
            most,
            gainOf((row) => (Number.isNaN(column[row]!) ? missingLeft : column[row]! <= threshold)),
          );
        }
      }
    }
    const { forest } = await fitForest(
      { features: columns.map((values) => ({ values })), labels },
      { trees: 1, leaves: 2, minRowsPerLeaf: 3, minRowsPerBin: 1 },
    );
    expect(forest.trees[0]!.gain[0]).toBeCloseTo(most, 4);
  });

  test('of a category is the best of all sets of levels', async () => {
    const levels = 6;
    const values = columns[0]!.map((value) => value % levels);
    let most = 0;
    for (let set = 1; set < 2 ** levels - 1; set++)
      most = Math.max(
        most,
        gainOf((row) => ((set >> values[row]!) & 1) === 1),
      );
    const { forest } = await fitForest(
      { features: [{ values, levels }], labels },
      { trees: 1, leaves: 2, minRowsPerLeaf: 3, categories: { oneHotUpTo: 1, smoothing: 0, l2: 0, levelsPerSplit: 6, minRowsPerGroup: 1 } },
    );
    expect(forest.trees[0]!.gain[0]).toBeCloseTo(most, 4);
  });
});

describe('the forest is the same, byte by byte', () => {
  test.each<Loss>([{ name: 'squared' }, { name: 'absolute' }, { name: 'poisson' }, { name: 'softmax', classes: 12 }])(
    'for 1, 2 and 3 threads: $name',
    async (loss) => {
      const fits: string[] = [];
      for (const threads of [1, 2, 3]) {
        fits.push(bytesOf(await fitForest(many, { loss, threads, trees: 3, leaves: 8, rowShare: 0.9, columnShare: 0.8 }, { validation: heldOut })));
      }
      expect(fits[1]).toBe(fits[0]);
      expect(fits[2]).toBe(fits[0]);
    },
  );

  test('killed after any round and continued, or not', async () => {
    const training = plainRows('softmax');
    const other = plainRows('softmax', ROWS, ROWS + 1000);
    const options: Partial<GbdtOptions> = { ...few, loss: { name: 'softmax', classes: 3 }, rowShare: 0.8, columnShare: 0.5, patience: 3, rate: 0.8 };
    const checkpoints: Uint8Array[] = [];
    const whole = await fitForest(training, options, {
      validation: other,
      onRound: async (_, checkpoint) => void checkpoints.push(checkpoint()),
    });
    expect(checkpoints.length).toBeGreaterThan(3);
    for (const resume of checkpoints) expect(bytesOf(await fitForest(training, options, { validation: other, resume }))).toBe(bytesOf(whole));
  });
});

test('scores never fall along a feature that is to rise, nor rise along one that is to fall, wherever the others stand', async () => {
  for (const loss of ['squared', 'absolute', 'logistic'] as const) {
    const training = plainRows(loss);
    const { forest } = await fitForest(training, { ...few, trees: 30, loss: { name: loss }, monotone: [1, 0, 0, -1] });
    const draw = random('grid');
    for (let each = 0; each < 40; each++) {
      const fixed = training.features.map(({ values }) => values[Math.floor(draw.next() * ROWS)]!);
      for (const [feature, direction] of [[0, 1] as const, [3, -1] as const]) {
        const grid = fixed.map((value, at) => ({ values: Float64Array.from({ length: 101 }, (_, step) => (at === feature ? step / 100 : value)) }));
        const [scores] = scoresOf(forest, grid);
        for (let step = 1; step <= 100; step++) expect((scores![step]! - scores![step - 1]!) * direction).toBeGreaterThanOrEqual(-1e-12);
      }
    }
  }
});

describe('rounds', () => {
  test('end when validation rows have not become better for a while, and the forest is that of the best round', async () => {
    const validation = plainRows('squared', ROWS, ROWS + 1000);
    const { forest, curve, bestRound } = await fitForest(plainRows('squared'), { trees: 200, rate: 0.5, patience: 5 }, { validation });
    expect(curve).toHaveLength(bestRound + 5);
    expect(forest.trees).toHaveLength(bestRound);
    expect(Math.min(...curve.map((round) => round.validation!))).toBe(curve[bestRound - 1]!.validation);
    const [scores] = predict(forest, validation.features);
    const squares = scores!.reduce((sum, score, row) => sum + (score - validation.labels[row]!) ** 2, 0);
    expect(squares / 1000).toBeCloseTo(curve[bestRound - 1]!.validation!, 10);
  });

  test('end where no split helps any more, continued or not', async () => {
    const values = Float64Array.from({ length: 100 }, (_, row) => row % 2);
    const training = { features: [{ values }], labels: values };
    const checkpoints: Uint8Array[] = [];
    const options = { rate: 1, minRowsPerLeaf: 1 };
    const whole = await fitForest(training, options, { onRound: async (_, checkpoint) => void checkpoints.push(checkpoint()) });
    expect(whole.curve.at(-1)!.training).toBe(0);
    expect(whole.curve.length).toBeLessThan(5);
    for (const resume of checkpoints) expect(await fitForest(training, options, { resume })).toEqual(whole);
  });

  test('end with what their listener throws, and the threads with them', async () => {
    const stop = new Error('cancelled');
    const fit = fitForest(many, { threads: 2 }, { onRound: () => Promise.reject(stop) });
    await expect(fit).rejects.toBe(stop);
  });
});

test('importance is what the features in the labels have', async () => {
  const { features, labels } = plainRows('squared');
  const noise = { values: Float64Array.from(labels, (_, row) => (row * 7919) % 101) };
  const { forest } = await fitForest({ features: [...features, noise], labels }, few);
  const { gain, splits } = importance(forest);
  expect(gain[6]! / gain.reduce((sum, each) => sum + each, 0)).toBeLessThan(0.02);
  expect(Math.min(gain[0]!, gain[1]!)).toBeGreaterThan(gain[3]!);
  expect(splits.reduce((sum, each) => sum + each, 0)).toBe(forest.trees.reduce((sum, { feature }) => sum + feature.length, 0));
});

describe('what will not do is refused', () => {
  const { features, labels } = plainRows('squared');
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['a label that is no number', () => fitForest({ features, labels: labels.with(7, NaN) }, {}), /label of training row 7 is not a number: NaN/],
    [
      'a class beyond the last',
      () => fitForest({ features, labels: labels.map(() => 3) }, { loss: { name: 'softmax', classes: 3 } }),
      /from 0 to 2: 3/,
    ],
    ['a probability as a label', () => fitForest({ features, labels: labels.map(() => 0.5) }, { loss: { name: 'logistic' } }), /neither 0 nor 1/],
    ['a column that is too short', () => fitForest({ features: [{ values: new Float64Array(5) }], labels }, {}), /feature 0 has 5 training values/],
    ['a negative weight', () => fitForest({ features, labels, weights: labels.map(() => -1) }, {}), /weight of training row 0 is -1/],
    ['more bins than a byte has', () => fitForest({ features, labels }, { bins: 256 }), /bins is 256: give it a whole number from 2 to 255/],
    ['a category that is to rise', () => fitForest({ features, labels }, { monotone: [0, 0, 0, 0, 1] }), /feature 4 is a category/],
    [
      'a rate at which the loss diverges',
      () => fitForest({ features, labels: labels.map(Math.abs) }, { loss: { name: 'poisson' }, rate: 1e4 }),
      /no finite derivative/,
    ],
    ['a table without rows', () => fitForest({ features, labels: new Float64Array(0) }, {}), /there are 0 rows/],
  ])('%s', async (_, fit, message) => {
    await expect(fit()).rejects.toThrow(message);
  });
});
