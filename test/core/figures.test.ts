import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Figure } from '../../core/figure.ts';
import { evaluate } from '../../core/evaluate.ts';
import { callsByShare, shareInterval } from '../../core/metrics/curves.ts';
import { random } from '../../core/random.ts';
import type { Marks } from '../../core/task.ts';
import { binary } from '../../core/tasks/binary.ts';
import { multiclass } from '../../core/tasks/multiclass.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';
import { regression } from '../../core/tasks/regression.ts';

type Numbers = readonly number[];
type Pairs = readonly (readonly [number, number])[];

interface Oracle {
  readonly binary: {
    readonly label: Numbers;
    readonly probability: Numbers;
    readonly slice: readonly boolean[];
    readonly roc: Pairs;
    readonly precisionRecall: Pairs;
    readonly calibration: Pairs;
    readonly calls: readonly Readonly<Record<string, number>>[];
    readonly histogram: readonly [Numbers, Numbers];
    readonly all: Share;
    readonly sliced: Share;
  };
  readonly wilson: readonly { readonly hits: number; readonly rows: number; readonly interval: Numbers }[];
  readonly regression: {
    readonly label: Numbers;
    readonly prediction: Numbers;
    readonly percentiles: Numbers;
    readonly histogram: Numbers;
    readonly bias: number;
    readonly error: number;
  };
  readonly multiclass: {
    readonly label: Numbers;
    readonly prediction: Numbers;
    readonly confusion: readonly Numbers[];
    readonly scores: readonly [Numbers, Numbers, Numbers, Numbers];
  };
}
interface Share {
  readonly positive: number;
  readonly predicted: number;
  readonly interval: Numbers;
}

/** The expected values are those of test/oracles/figures.py. */
const oracle = JSON.parse(await readFile(join(import.meta.dirname, '../oracles/figures.json'), 'utf8')) as Oracle;

const marks = (columns: Marks['columns'], more: Partial<Marks> = {}): Marks => {
  const units = columns['label']!.map((_, at) => `u${at}`);
  return { units, columns, slices: {}, answers: units.map(() => null), facts: {}, ...more };
};

/** As exact as figures are kept. */
const near = (value: number): unknown => expect.closeTo(value, 4);

function named<K extends Figure['kind']>(figures: readonly Figure[], kind: K, name: string): Extract<Figure, { kind: K }> {
  const found = figures.find((figure) => figure.name === name);
  if (found?.kind !== kind) throw new Error(`there is no ${kind} ${name}`);
  return found as Extract<Figure, { kind: K }>;
}

describe('figures of a binary exam', () => {
  const { label, probability, slice } = oracle.binary;
  const challenger = marks({ label, probability }, { slices: { some: slice, nobody: slice.map(() => false) } });
  const constant = marks({ label, probability: label.map(() => 0.2) });
  const figures = binary.figures!({ challenger, constant });

  test('have the points of scikit-learn’s curves, at most 200 of them', () => {
    for (const [name, points] of [['roc', oracle.binary.roc] as const, ['precision-recall', oracle.binary.precisionRecall] as const]) {
      const drawn = named(figures, 'curves', name).series['challenger']!;
      expect(drawn.length).toBeGreaterThan(50);
      expect(drawn.length).toBeLessThanOrEqual(200);
      for (const [x, y] of drawn) expect(points.some(([a, b]) => Math.abs(a - x) < 1e-4 && Math.abs(b - y) < 1e-4)).toBe(true);
    }
    expect(named(figures, 'curves', 'roc').series).not.toHaveProperty('constant');
  });

  test('have scikit-learn’s reliability, each point with its interval', () => {
    const points = named(figures, 'curves', 'calibration').series['challenger']!;
    expect(points.map(([x, y]) => [x, y])).toEqual(oracle.binary.calibration.map(([x, y]) => [near(x), near(y)]));
    for (const [, y, low, high] of points) expect(low! <= y && y <= high!).toBe(true);
  });

  test('say of all rows, and of each slice that is not empty, what was given and what was met', () => {
    const row = (name: string, units: number, { positive, predicted, interval }: Share) => ({
      ...{ name, units, value: near(positive), mark: near(predicted), low: near(interval[0]!), high: near(interval[1]!) },
    });
    const { all, sliced } = oracle.binary;
    expect(named(figures, 'ranges', 'calibration-by-slice').rows).toEqual([row('all', 400, all), row('some', slice.filter(Boolean).length, sliced)]);
  });

  test('have NumPy’s histogram of the probabilities of either class', () => {
    const { series } = named(figures, 'bars', 'scores');
    expect([series['negative'], series['positive']].map((bins) => bins!.map(([, , share]) => share))).toEqual(
      oracle.binary.histogram.map((bins) => bins.map(near)),
    );
  });

  test('tell what comes of thresholds', () => {
    const calls = callsByShare(label, probability, [0.01, 0.05, 0.1, 0.5]);
    expect(calls).toEqual(oracle.binary.calls.map((each) => Object.fromEntries(Object.entries(each).map(([of, value]) => [of, near(value)]))));
    const { rows } = named(figures, 'listing', 'thresholds');
    expect(rows.length).toBeGreaterThan(5);
    expect(callsByShare([1, 0, 0], [0.5, 0.5, 0.5], [0.01, 0.5])).toHaveLength(1);
  });

  test('show what a calibration changed, and what comes of a chosen threshold', () => {
    const called = probability.map((value) => Number(value >= 0.5));
    const finished = marks({ label, probability, uncalibrated: probability.map((value) => value / 2), positive: called });
    const figures = binary.figures!({ challenger: finished, champion: challenger, logistic: constant });
    const { series } = named(figures, 'curves', 'calibration');
    expect(Object.keys(series)).toEqual(['challenger', 'champion', 'before calibration']);
    expect(series['before calibration']!.map(([x]) => x)).toEqual(series['challenger']!.map(([x]) => near(x / 2)));
    const { counts } = named(figures, 'matrix', 'calls');
    expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(label.length);
    expect(counts[1]![1]).toBe(label.filter((value, at) => value === 1 && called[at] === 1).length);
    expect(binary.figures!({ challenger }).some(({ name }) => name === 'calls')).toBe(false);
  });

  test('are none where all rows are of one class', () => {
    expect(binary.figures!({ challenger: marks({ label: [1, 1], probability: [0.5, 0.6] }) })).toEqual([]);
  });
});

test.each(oracle.wilson)('the interval of a share is Wilson’s: $hits of $rows', ({ hits, rows, interval }) => {
  for (const [at, bound] of shareInterval(hits / rows, rows).entries()) expect(bound).toBeCloseTo(interval[at]!, 6);
});

describe('figures of a regression', () => {
  const { label, prediction, percentiles, bias, error } = oracle.regression;
  const figures = regression.figures!({ challenger: marks({ label, prediction }) });

  test('have the percentiles of errors of NumPy', () => {
    expect(named(figures, 'curves', 'errors').series['challenger']).toEqual(
      percentiles.map((value, percent) => [expect.closeTo(value, 3), percent / 100]),
    );
  });

  test('have the histogram of residuals of NumPy, without the largest hundredth', () => {
    const bins = named(figures, 'bars', 'residual-histogram').series['challenger']!;
    expect(bins.map(([, , share]) => share)).toEqual(oracle.regression.histogram.map(near));
    expect(bins[0]![0]).toBeCloseTo(-bins.at(-1)![1], 4);
  });

  test('have the mean residual with its interval, and its spread along the prediction', () => {
    const [all] = named(figures, 'ranges', 'bias-by-slice').rows;
    expect(all).toMatchObject({
      name: 'all',
      units: 300,
      value: near(bias),
      low: near(bias - 1.959964 * error),
      high: near(bias + 1.959964 * error),
      mark: 0,
    });
    const { points } = named(figures, 'bands', 'residuals');
    expect(points).toHaveLength(20);
    for (const [, ...quantiles] of points) expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
  });
});

test('figures of bounds say of each slice which share of labels they hold', () => {
  const { label, prediction } = oracle.regression;
  const bounds = { lower: prediction.map((value) => value - 4), upper: prediction.map((value) => value + 4) };
  const slices = { first: label.map((_, at) => at < 100) };
  const figures = regression.figures!({ challenger: marks({ label, prediction, ...bounds }, { slices }) });
  const [all, first] = named(figures, 'ranges', 'coverage-by-slice').rows;
  const held = (rows: number): number => label.slice(0, rows).filter((value, at) => Math.abs(value - prediction[at]!) <= 4).length / rows;
  expect(all).toMatchObject({ name: 'all', value: near(held(300)), mark: near(held(300)) });
  expect(first).toMatchObject({ name: 'first', units: 100, value: near(held(100)), mark: near(held(300)) });
  expect(regression.figures!({ challenger: marks({ label, prediction }) }).some(({ name }) => name === 'coverage-by-slice')).toBe(false);
});

describe('figures of several classes', () => {
  const { label, prediction, confusion, scores } = oracle.multiclass;
  const answers = prediction.map((taken) => [0, 1, 2].map((at) => (at === taken ? 0.5 : 0.25)));
  const named3 = marks({ label, prediction }, { facts: { classes: ['a', 'b', 'c'] }, answers });

  test('have scikit-learn’s confusion and scores of each class', () => {
    const figures = multiclass.figures!({ challenger: named3 });
    expect(named(figures, 'matrix', 'confusion')).toMatchObject({ names: ['a', 'b', 'c'], counts: confusion });
    const [precision, recall, f1, support] = scores;
    for (const [name, rows, , ...shown] of named(figures, 'listing', 'classes').rows) {
      const at = ['a', 'b', 'c'].indexOf(String(name));
      expect(rows).toBe(support[at]);
      expect(shown.map((text) => Number.parseFloat(String(text)))).toEqual(
        [precision, recall, f1].map((score) => expect.closeTo(100 * score[at]!, 0)),
      );
    }
  });

  test('stay readable of many classes, and name rows of a class that came later', () => {
    const many = Array.from({ length: 90 }, (_, at) => at % 30);
    const facts = { classes: Array.from({ length: 29 }, (_, at) => `class ${at}`) };
    const figures = multiclass.figures!({ challenger: marks({ label: many, prediction: many }, { facts, answers: many.map(() => [0.6, 0.4]) }) });
    const { names, caption } = named(figures, 'matrix', 'confusion');
    expect(names).toHaveLength(20);
    expect(caption).toContain('The 20 most frequent of 30 classes');
    const later = multiclass.figures!({
      challenger: marks({ label: [0, 1], prediction: [0, 0] }, { facts: { classes: ['a'] }, answers: [[1], [1]] }),
    });
    expect(named(later, 'matrix', 'confusion').names).toEqual(['a', 'a later class']);
  });
});

describe('an evaluation', () => {
  test('carries its figures, some tens of kilobytes of them whatever was examined, and those of all folds together', async () => {
    const draw = random('figures');
    const units = Array.from({ length: 3000 }, (_, at) => `${at}`);
    const label = units.map(() => draw.below(2));
    const sat = (): Marks => ({ ...marks({ label, probability: label.map((value) => (value + draw.next()) / 2), day: label, card: label }), units });
    const contenders = { challenger: [sat(), sat()], champion: [sat(), sat()] };
    const folds = ['2020', '2021'];
    for (const fits of Object.values(contenders))
      for (const [fold, own] of fits.entries()) fits[fold] = { ...own, units: units.map((unit) => `${unit}@${folds[fold]}`) };
    const task = { kind: 'binary', metrics: { brier: binary.metrics.brier }, figures: binary.figures };
    const { figures } = await evaluate({
      ...{ model: 'm', segment: 'all', task, metric: 'brier', confidence: 0.95, contenders, folds, rowsLeftOut: 0 },
    });
    expect(JSON.stringify(figures).length).toBeLessThan(50_000);
    expect(named(figures!, 'ranges', 'calibration-by-slice').rows[0]).toMatchObject({ units: 6000 });
  });

  test('has none where its kind draws none', () => {
    expect(recommendation).not.toHaveProperty('figures');
  });
});
