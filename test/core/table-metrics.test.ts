import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { bootstrap } from '../../core/bootstrap.ts';
import { binaryMetrics, confusionAt, precisionAmong, rocAuc } from '../../core/metrics/binary.ts';
import { calibrate, fitIsotonic, fitPlatt } from '../../core/metrics/calibration.ts';
import { cardPrecision, cardPrecisionAt } from '../../core/metrics/card-precision.ts';
import { calibrationCurve, precisionRecallCurve, residualPercentiles, residualsByPrediction, rocCurve } from '../../core/metrics/curves.ts';
import { accuracy, confusionMatrix, macroF1, multiclassMetrics, multinomialLogLoss } from '../../core/metrics/multiclass.ts';
import { intervalMetrics, r2, regressionMetrics } from '../../core/metrics/regression.ts';
import { cheapestThreshold } from '../../core/metrics/threshold.ts';
import { random } from '../../core/random.ts';
import type { Marks, Measure, Metric } from '../../core/task.ts';

/** The value of all rows, and of the rows drawn `times`; null where there is none. */
interface Expected {
  readonly all: number | null;
  readonly drawn: number | null;
}
type Numbers = readonly number[];
interface Labelled {
  readonly name: string;
  readonly label: Numbers;
  readonly probability: Numbers;
}

const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/tables.json'), 'utf8')) as {
  readonly regression: readonly { readonly name: string; readonly [column: string]: unknown }[];
  readonly binary: readonly (Labelled & {
    readonly confusionAtHalf: Numbers;
    readonly roc?: { readonly falsePositiveRate: Numbers; readonly truePositiveRate: Numbers; readonly threshold: readonly (number | null)[] };
    readonly precisionRecall?: { readonly precision: Numbers; readonly recall: Numbers };
    readonly calibration?: { readonly observed: Numbers; readonly predicted: Numbers };
  })[];
  readonly precisions: {
    readonly label: Numbers;
    readonly score: Numbers;
    readonly at: readonly { readonly k: number; readonly precision: number }[];
  };
  readonly thresholds: readonly (Labelled & {
    readonly costs: readonly { readonly falsePositive: number; readonly falseNegative: number; readonly meanCost: number }[];
  })[];
  readonly cards: readonly ({ readonly name: string; readonly k: number; readonly times: Numbers } & Expected &
    Readonly<Record<'card' | 'day' | 'label' | 'score', Numbers>>)[];
  readonly multiclass: readonly ({
    readonly name: string;
    readonly classes: number;
    readonly times: Numbers;
    readonly confusion: readonly Numbers[];
    readonly 'log-loss': Expected;
  } & Readonly<Record<'label' | 'prediction' | 'probabilities', Numbers>>)[];
  readonly platt: readonly (Labelled & { readonly calibrated: Numbers })[];
  readonly isotonic: readonly (Labelled & Readonly<Record<'from' | 'to' | 'asked' | 'calibrated', Numbers>>)[];
};

const near = (expected: number | null): unknown => (expected === null ? Number.NaN : expect.closeTo(expected, 9));
const allNear = (expected: Numbers): unknown => expected.map(near);

/** A relative tolerance of 1e-9, for what is not about 1. */
function expectNear(actual: number, expected: number | null) {
  if (expected === null) expect(actual).toBeNaN();
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
}

function expectMeasure(measure: Measure, { all, drawn }: Expected, times: Numbers) {
  expectNear(measure(), all);
  expectNear(measure(Int32Array.from(times)), drawn);
}

/** Every metric has its expected values in the case, under its own name. */
function expectMetrics(metrics: Readonly<Record<string, Metric>>, given: object) {
  const columns = given as Readonly<Record<string, Numbers>> & Readonly<Record<string, Expected>>;
  const marks: Marks = { units: [], columns, slices: {}, answers: [], facts: {} };
  for (const [name, metric] of Object.entries(metrics)) expectMeasure(metric.of(marks), columns[name]!, columns['times']!);
}

describe('the metrics of regression', () => {
  test.each(oracle.regression)('are those of scikit-learn, of all rows and of a resample: $name', (given) =>
    expectMetrics({ ...regressionMetrics, ...intervalMetrics({ lower: 0.05, upper: 0.9 }) }, given),
  );

  test('see that labels are constant, also where their mean is rounded', () => {
    expect(r2(Array(7).fill(0.1), [1, 2, 3, 4, 5, 6, 7])()).toBe(0);
    const labels = [7, ...Array<number>(100_000).fill(0.1)];
    const others = Int32Array.from(labels, (label) => Number(label !== 7));
    expect(r2(labels, labels)(others)).toBe(1);
    expect(r2(labels, labels.map(Math.round))(others)).toBe(0);
  });

  test('have percentiles of residuals, and their spread along the prediction', () => {
    const prediction = Array.from({ length: 1000 }, (_, at) => at);
    const label = prediction.map((value) => value + (value % 2 === 0 ? 10 : -10));
    expect(residualPercentiles(label, prediction)).toHaveLength(101);
    expect(residualPercentiles([1, 3, 2], [0, 0, 0]).filter((_, percent) => percent % 25 === 0)).toEqual([1, 1.5, 2, 2.5, 3]);
    const bins = residualsByPrediction(label, prediction);
    expect(bins).toHaveLength(20);
    expect(bins[0]).toEqual({ predicted: 24.5, rows: 50, p05: -10, p25: -10, p50: 0, p75: 10, p95: 10 });
    expect(residualsByPrediction([1, 2], [5, 5])).toHaveLength(1);
  });
});

describe('the metrics of two classes', () => {
  test.each(oracle.binary)('are those of scikit-learn, of all rows and of a resample: $name', (given) => expectMetrics(binaryMetrics, given));

  test.each(oracle.binary)('count a confusion at a threshold: $name', ({ label, probability, confusionAtHalf }) => {
    const { trueNegatives, falsePositives, falseNegatives, truePositives } = confusionAt(label, probability, 0.5);
    expect([trueNegatives, falsePositives, falseNegatives, truePositives]).toEqual(confusionAtHalf);
  });

  test.each(oracle.precisions.at)('take of a tie at the border of the first $k each row with the same chance', ({ k, precision }) => {
    const { label, score } = oracle.precisions;
    expectNear(precisionAmong(label, score, k)(), precision);
  });

  test('take a row that was drawn twice as two', () => {
    const times = Int32Array.from([2, 0, 1, 1]);
    expect(precisionAmong([1, 0, 0, 1], [0.9, 0.8, 0.7, 0.6], 3)(times)).toBe(2 / 3);
  });

  test('refuse a score that is no number', () => {
    expect(() => rocAuc([0, 1], [0.5, Number.NaN])).toThrow(expect.objectContaining({ code: 'ModelInvalid', facts: { row: 1 } }));
  });

  test.each(oracle.cards)('give the CardPrecision of the handbook, of all cards and of cards drawn as a whole: $name', (given) => {
    expectMeasure(cardPrecision(given, given.k), given, given.times);
    const columns = { label: given.label, probability: given.score, card: given.card, day: given.day };
    expectNear(cardPrecisionAt(given.k).of({ units: [], columns, slices: {}, answers: [], facts: {} })(), given.all);
  });

  test('average CardPrecision over the days that a resample has', () => {
    const week = { label: [1, 0, 0], score: [0.9, 0.8, 0.7], card: [7, 8, 9], day: [1, 1, 2] };
    expect(cardPrecision(week, 1)()).toBe(1 / 2);
    expect(cardPrecision(week, 1)(Int32Array.from([1, 1, 0]))).toBe(1);
    expect(cardPrecision(week, 1)(new Int32Array(3))).toBeNaN();
  });

  test('rank cards with equal scores by their numbers, whatever the order of rows', () => {
    const tie = { score: [0.5, 0.5], card: [9, 3], day: [1, 1] };
    expect(cardPrecision({ ...tie, label: [0, 1] }, 1)()).toBe(1);
    expect(cardPrecision({ ...tie, label: [1, 0] }, 1)()).toBe(0);
  });
});

describe('the metrics of several classes', () => {
  test.each(oracle.multiclass)('are those of scikit-learn, of all rows and of a resample: $name', (given) => {
    const labelProbability = given.label.map((own, at) => given.probabilities[at * given.classes + own]!);
    expectMetrics(multiclassMetrics, { ...given, labelProbability });
    expectMeasure(multinomialLogLoss(given.label, given.probabilities, given.classes), given['log-loss'], given.times);
    expect(confusionMatrix(given.label, given.prediction, given.classes)).toEqual(given.confusion);
  });

  test('are undefined for no rows', () => {
    for (const measure of [accuracy([1], [1]), macroF1([1], [1])]) expect(measure(new Int32Array(1))).toBeNaN();
  });
});

describe('curves', () => {
  const whole = oracle.binary.filter(({ roc }) => roc !== undefined);

  test.each(whole)('are those of scikit-learn: $name', ({ label, probability, roc, precisionRecall, calibration }) => {
    const rocPoints = rocCurve(label, probability);
    expect(rocPoints.map((point) => point.falsePositiveRate)).toEqual(allNear(roc!.falsePositiveRate));
    expect(rocPoints.map((point) => point.truePositiveRate)).toEqual(allNear(roc!.truePositiveRate));
    expect(rocPoints.map((point) => point.threshold)).toEqual(roc!.threshold);
    const precisionRecallPoints = precisionRecallCurve(label, probability);
    expect(precisionRecallPoints.map((point) => point.precision)).toEqual(allNear(precisionRecall!.precision));
    expect(precisionRecallPoints.map((point) => point.recall)).toEqual(allNear(precisionRecall!.recall));
    const calibrationPoints = calibrationCurve(label, probability);
    expect(calibrationPoints.map((point) => point.observed)).toEqual(allNear(calibration!.observed));
    expect(calibrationPoints.map((point) => point.predicted)).toEqual(allNear(calibration!.predicted));
    expect(calibrationPoints.reduce((sum, { rows }) => sum + rows, 0)).toBe(label.length);
  });

  test('are thinned to 200 points that keep their area to a thousandth, and their ends', () => {
    const { label, probability } = manyRows(20_000);
    const points = rocCurve(label, probability);
    expect(points.length).toBeGreaterThan(150);
    expect(points.length).toBeLessThanOrEqual(200);
    expect(points[0]).toEqual({ threshold: null, falsePositiveRate: 0, truePositiveRate: 0 });
    expect(points.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
    let area = 0;
    for (const [at, { falsePositiveRate, truePositiveRate }] of points.entries()) {
      if (at > 0) area += ((falsePositiveRate - points[at - 1]!.falsePositiveRate) * (truePositiveRate + points[at - 1]!.truePositiveRate)) / 2;
    }
    expect(Math.abs(area - rocAuc(label, probability)())).toBeLessThan(1e-3);
    const precisionRecallPoints = precisionRecallCurve(label, probability);
    expect(precisionRecallPoints.length).toBeLessThanOrEqual(200);
    expect(precisionRecallPoints.at(-1)!.recall).toBe(1);
  });

  test('have no points where they are undefined', () => {
    expect(rocCurve([1, 1], [0.1, 0.2])).toEqual([]);
    expect(precisionRecallCurve([0, 0], [0.1, 0.2])).toEqual([]);
  });
});

describe('a threshold', () => {
  test.each(oracle.thresholds.flatMap((rows) => rows.costs.map((cost) => ({ ...rows, cost }))))(
    'costs the least that any threshold can: $name, $cost.falsePositive to $cost.falseNegative',
    ({ label, probability, cost }) => {
      const { threshold, meanCost } = cheapestThreshold(label, probability, cost);
      expectNear(meanCost, cost.meanCost);
      const { falsePositives, falseNegatives } = confusionAt(label, probability, threshold);
      expectNear((falsePositives * cost.falsePositive + falseNegatives * cost.falseNegative) / label.length, cost.meanCost);
    },
  );

  test('lies halfway between neighbours, and is the highest of those that cost the same', () => {
    const cost = { falsePositive: 1, falseNegative: 1 };
    expect(cheapestThreshold([1, 0], [0.75, 0.25], cost)).toEqual({ threshold: 0.5, meanCost: 0 });
    expect(cheapestThreshold([0, 1], [0.75, 0.25], cost).threshold).toBeGreaterThan(0.75);
    expect(cheapestThreshold([0, 0], [1, 1], cost).threshold).toBeGreaterThan(1);
    expect(cheapestThreshold([1, 1], [0.5, 0.25], cost)).toEqual({ threshold: 0.125, meanCost: 0 });
    expect(cheapestThreshold([0, 1], [0.1, 0.1 + 2 ** -56], cost).threshold).toBe(0.1 + 2 ** -56);
  });
});

describe('calibration', () => {
  test.each(oracle.platt)("by Platt's scaling is that of scikit-learn, solved to the end: $name", ({ label, probability, calibrated }) => {
    const fitted = fitPlatt(label, probability);
    for (const [at, expected] of calibrated.entries()) expectNear(calibrate(fitted, probability[at]!), expected);
  });

  test.each(oracle.isotonic)('by isotonic regression is that of scikit-learn: $name', ({ label, probability, from, to, asked, calibrated }) => {
    const fitted = fitIsotonic(label, probability);
    expect(fitted.from).toEqual(from);
    expect(fitted.to).toEqual(allNear(to));
    for (const [at, expected] of calibrated.entries()) expectNear(calibrate(fitted, asked[at]!), expected);
  });

  test('leaves what is calibrated nearly alone, and mends what is not', () => {
    const { label, probability } = manyRows(20_000);
    const { slope, intercept } = fitPlatt(label, probability);
    expect(slope).toBeCloseTo(1, 1);
    expect(Math.abs(intercept)).toBeLessThan(0.1);
    const shifted = probability.map((value) => value ** 3);
    const errorOf = (given: Numbers) =>
      binaryMetrics.ece.of({ units: [], columns: { label, probability: given }, slices: {}, answers: [], facts: {} })();
    expect(errorOf(shifted)).toBeGreaterThan(0.1);
    for (const fitted of [fitPlatt(label, shifted), fitIsotonic(label, shifted)]) {
      expect(errorOf(shifted.map((value) => calibrate(fitted, value)))).toBeLessThan(0.03);
    }
  });
});

test('an interval of the AUC of 100,000 rows takes seconds of a processor', async () => {
  const { label, probability } = manyRows(100_000);
  const start = process.cpuUsage();
  const measure = rocAuc(label, probability);
  const clusters = Int32Array.from(label, (_, row) => row);
  const [interval] = await bootstrap((times) => [measure(times)], { clusters, confidence: 0.95, resamples: 1000 });
  const tookMs = process.cpuUsage(start).user / 1000;
  process.stderr.write(`AUC of 100,000 rows and 1,000 resamples: ${Math.round(tookMs)} ms\n`);
  expect(tookMs).toBeLessThan(20_000);
  // Hanley & McNeil 1982 give about the same standard error.
  const positives = label.filter((value) => value === 1).length;
  const { value, low, high } = interval!;
  const [one, two] = [value / (2 - value), (2 * value * value) / (1 + value)];
  const variance =
    (value * (1 - value) + (positives - 1) * (one - value ** 2) + (label.length - positives - 1) * (two - value ** 2)) /
    (positives * (label.length - positives));
  expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeGreaterThan(0.8);
  expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeLessThan(1.25);
});

/** Rows whose probabilities are met. */
function manyRows(rows: number): { readonly label: number[]; readonly probability: number[] } {
  const { next } = random(3);
  const probability = Array.from({ length: rows }, () => next());
  return { probability, label: probability.map((value) => Number(next() < value)) };
}
