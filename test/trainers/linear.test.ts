import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Feature } from '../../core/encoding.ts';
import { linear } from '../../trainers/linear.ts';
import { blockRows, designOf, eachBlock } from '../../trainers/linear/design.ts';
import type { Block } from '../../trainers/linear/design.ts';
import { solutionOf } from '../../trainers/linear/solution.ts';
import { scoreRows } from '../../trainers/linear/sums.ts';
import { trainingContext } from '../support/training.ts';
import { answersTo, examplesOf, someExamples, taskLabels } from './examples.ts';

interface Case {
  readonly l2: number;
  readonly labels: number[];
  readonly weights: number[][];
  readonly answers: number[] | number[][];
}

type Oracle = Readonly<Record<keyof typeof taskLabels, readonly Case[]>> & {
  readonly features: readonly (Pick<Feature, 'median' | 'mean' | 'deviation' | 'missing'> & { levels?: number; values: (number | null)[] })[];
};

/** Made by test/oracles/linear.py with scikit-learn. */
const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/linear.json'), 'utf8')) as Oracle;

const columns = oracle.features.map(({ levels, values, ...statistics }) => ({
  values: values.map((value) => value ?? NaN),
  statistics,
  ...(levels !== undefined && { levels }),
}));

const cases = (['regression', 'binary', 'multiclass'] as const).flatMap((task) =>
  oracle[task].map((expected, at): [string, keyof typeof taskLabels, Case] => [`${task} ${at + 1}, l2 ${expected.l2}`, task, expected]),
);

describe('numbers that scikit-learn gives too', () => {
  test.each(cases)('%s: the weights', async (_title, task, { l2, labels, weights }) => {
    const rows = examplesOf(columns, labels, taskLabels[task]);
    const solution = await solutionOf(rows, designOf(rows), l2, trainingContext());
    expect(solution.weights).toHaveLength(weights.length);
    solution.weights.forEach((own, k) => own.forEach((weight, at) => expect(Math.abs(weight - weights[k]![at]!)).toBeLessThan(1e-6)));
    if (task !== 'regression') expect(solution.facts).toMatchObject({ converged: true });
  });

  test.each(cases)('%s: the weights of a design that is too wide for a matrix', async (_title, task, { l2, labels, weights }) => {
    const rows = examplesOf(columns, labels, taskLabels[task]);
    const solution = await solutionOf(rows, designOf(rows), l2, trainingContext(), true);
    expect(solution.facts).toMatchObject({ converged: true });
    // Where a penalty is small beside what rows say, the diagonal is a poor measure of what is left to go.
    const near = l2 < 0.1 ? 1e-4 : 1e-6;
    solution.weights.forEach((own, k) => own.forEach((weight, at) => expect(Math.abs(weight - weights[k]![at]!)).toBeLessThan(near)));
  });

  test.each(cases)('%s: the answers of ONNX Runtime', async (_title, task, { l2, labels, answers }) => {
    const rows = examplesOf(columns, labels, taskLabels[task]);
    const { onnx } = await linear.fit(rows, { l2 }, trainingContext());
    const given = await answersTo(onnx, rows.features);
    const scale = task === 'regression' ? 100 : 1;
    given.forEach((answer, row) => {
      [answers[row]!].flat().forEach((expected, k) => expect(Math.abs(answer[k]! - expected)).toBeLessThan(1e-6 * scale));
    });
  });
});

describe('the model of a linear trainer', () => {
  test.each(Object.keys(taskLabels) as (keyof typeof taskLabels)[])('%s: answers as its weights say, whatever is missing or unseen', async (task) => {
    const rows = someExamples(task);
    const design = designOf(rows);
    const { weights } = await solutionOf(rows, design, 1, trainingContext());
    const { onnx } = await linear.fit(rows, { l2: 1 }, trainingContext());
    const asked = { ...rows, features: rows.features.map((values) => Float32Array.of(NaN, values[0]!, values[1]!, 0, NaN, NaN)) };
    asked.features[2]![4] = 1.5;
    const scores = new Float64Array(blockRows);
    const expected: number[][] = Array.from({ length: 6 }, () => []);
    const score = (block: Block) =>
      weights.forEach((each) => {
        scoreRows(scores, block, design, each);
        expected.forEach((row, at) => row.push(scores[at]!));
      });
    await eachBlock(design, { ...asked, labels: new Float64Array(6) }, score, async () => {});
    const answers = await answersTo(onnx, asked.features);
    expected.forEach((row, at) => linked[task](row).forEach((answer, k) => expect(answers[at]![k]).toBeCloseTo(answer, 6 - Math.log10(answer + 1))));
  });

  test('a feature that is always the same, or never there, changes no answer', async () => {
    const rows = someExamples('regression');
    const { onnx } = await linear.fit(rows, { l2: 1 }, trainingContext());
    const asked = rows.features.map((values) => Float32Array.of(values[0]!, values[0]!));
    for (const at of [3, 5]) asked[at]!.set([1, NaN]);
    const [first, second] = await answersTo(onnx, asked);
    expect(first).toEqual(second);
  });

  test('rows without a single feature that tells anything get the mean', async () => {
    const { onnx } = await linear.fit(examplesOf([{ values: [3, 3] }], [10, 20]), { l2: 1 }, trainingContext());
    expect(await answersTo(onnx, [Float32Array.of(3, NaN, 5)])).toEqual([[15], [15], [15]]);
  });

  test.each(['regression', 'binary'] as const)('%s: a category of 5,000 levels takes no matrix of their pairs', async (task) => {
    const rows = 12_000;
    const values = Array.from({ length: rows }, (_, row) => (row % 5000) + 1);
    const labels = values.map((level) => level % 2);
    const encoded = examplesOf([{ values, levels: 5000 }], labels, taskLabels[task]);
    const { onnx, facts } = await linear.fit(encoded, { l2: 1 }, trainingContext());
    expect(facts).toMatchObject({ columns: 5003, converged: true });
    const [[odd], [even]] = (await answersTo(onnx, [Float32Array.of(1, 2)])) as [[number], [number]];
    expect(odd - even).toBeGreaterThan(0.3);
  });

  test('importance is how far each feature moves the scores: a number its standardised weight, a category the spread of its codes', async () => {
    const rows = Array.from({ length: 4000 }, (_, row) => ({ far: row % 2, level: 1 + ((row >> 1) % 2) }));
    const columns = [
      { values: rows.map(() => 7), statistics: { mean: 7, median: 7, deviation: 0, missing: 0 } },
      { values: rows.map(({ level }) => level), levels: 2 },
      { values: rows.map(({ far }) => far), statistics: { mean: 0.5, median: 0.5, deviation: 0.5, missing: 0 } },
    ];
    const labels = rows.map(({ far, level }) => 4 + 6 * far + 2 * level);
    const { facts } = await linear.fit(examplesOf(columns, labels), { l2: 1e-6 }, trainingContext());
    const [largest, second, none] = Object.entries(facts['importance'] as Readonly<Record<string, number>>);
    expect([largest![0], largest![1]]).toEqual(['f2', expect.closeTo(3, 4)]);
    expect([second![0], second![1]]).toEqual(['f1', expect.closeTo(1, 4)]);
    expect(none).toEqual(['f0', 0]);
  });

  test('rows of one class get a model that is sure of it', async () => {
    const { onnx, facts } = await linear.fit(examplesOf([{ values: [1, 2, 4] }], [1, 1, 1], ['no', 'yes']), { l2: 1 }, trainingContext());
    expect(facts).toMatchObject({ converged: true });
    for (const [answer] of await answersTo(onnx, [Float32Array.of(1, NaN)])) expect(answer).toBeCloseTo(1, 5);
  });
});

const linked: Readonly<Record<keyof typeof taskLabels, (scores: number[]) => number[]>> = {
  regression: (scores) => scores,
  binary: (scores) => scores.map((score) => 1 / (1 + Math.exp(-score))),
  multiclass: (scores) => {
    const powers = scores.map(Math.exp);
    return powers.map((power) => power / powers.reduce((sum, each) => sum + each));
  },
};
