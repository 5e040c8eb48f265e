import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../core/evaluate.ts';
import type { EvaluationInput } from '../../core/evaluate.ts';
import { meanOf, ofColumns, once } from '../../core/metrics/columns.ts';
import { random } from '../../core/random.ts';
import type { Marks } from '../../core/task.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';

const marks = (units: readonly string[], ndcg: readonly number[], slices: Marks['slices'] = {}): Marks => ({
  units,
  columns: { ndcg, error: ndcg.map((value) => 1 - value) },
  slices,
  answers: units.map(() => []),
  facts: {},
});

const whole = { title: 'Answers', better: 'higher', whole: true, of: (all: Marks) => () => all.answers.length } as const;

const input = (contenders: EvaluationInput['contenders'], folds: readonly string[] = ['test'], metric = 'ndcg@10'): EvaluationInput => ({
  model: 'm',
  segment: 'all',
  task: { kind: 'recommendation', metrics: { 'ndcg@10': meanOf('nDCG', 'ndcg'), error: meanOf('Error', 'error', 'lower'), answers: whole } },
  metric,
  confidence: 0.95,
  contenders,
  folds,
  rowsLeftOut: 3,
});

const units = Array.from({ length: 200 }, (_, at) => `u${at}`);
const { next } = random(1);
const base = units.map(() => next());

describe('an evaluation', () => {
  test('gives each contender each metric, and the challenger its paired gain over everyone else', async () => {
    const better = base.map((value) => value + 0.01);
    const evaluation = await evaluate(
      input({ popularity: [marks(units, base)], challenger: [marks(units, better)], random: [marks(units, better)] }),
    );
    expect(evaluation).toMatchObject({ format: 1, model: 'm', segment: 'all', task: 'recommendation', units: 200, rowsLeftOut: 3, folds: ['test'] });
    const mean = base.reduce((sum, value) => sum + value, 0) / 200;
    const { value, low, high } = evaluation.contenders['popularity']!.metrics['ndcg@10']!;
    expect(value).toBeCloseTo(mean, 12);
    expect(high - low).toBeCloseTo((2 * 1.96 * Math.sqrt(1 / 12)) / Math.sqrt(200), 1);
    // The units' own spread cancels out of a paired difference.
    const close = (to: number): unknown => expect.closeTo(to, 10);
    expect(evaluation.gains).toEqual([
      { metric: 'ndcg@10', over: 'popularity', value: close(0.01), low: close(0.01), high: close(0.01) },
      { metric: 'ndcg@10', over: 'random', value: 0, low: 0, high: 0 },
    ]);
  });

  test('signs a gain so that above zero is better, also where less is better', async () => {
    const worse = base.map((value) => value - 0.25);
    const evaluation = await evaluate(input({ challenger: [marks(units, worse)], champion: [marks(units, base)] }, ['test'], 'error'));
    expect(evaluation.gains[0]!.value).toBeCloseTo(-0.25, 10);
  });

  test('does not resample what describes all answers together', async () => {
    const evaluation = await evaluate(input({ challenger: [marks(units, base)] }));
    expect(evaluation.contenders['challenger']!.metrics['answers']).toEqual({ value: 200, low: 200, high: 200 });
  });

  test('gives slices their units and means, and an empty slice no metric', async () => {
    const slices = { first: units.map((_, at) => at === 0), none: units.map(() => false) };
    const { contenders } = await evaluate(input({ challenger: [marks(units, base, slices)] }));
    expect(contenders['challenger']!.slices).toEqual({
      first: { units: 1, metrics: { 'ndcg@10': base[0], error: 1 - base[0]! } },
      none: { units: 0, metrics: {} },
    });
  });

  test('pools folds, and draws a user of several folds as one cluster', async () => {
    const folds = ['a', 'b', 'c', 'd'];
    const same = folds.map((fold) =>
      marks(
        units.map((unit) => `${unit}@${fold}`),
        base,
        fold === 'a' ? { early: units.map(() => true) } : {},
      ),
    );
    const pooled = (await evaluate(input({ challenger: same }, folds))).contenders['challenger']!;
    const single = (await evaluate(input({ challenger: [marks(units, base)] }))).contenders['challenger']!;
    // Four copies of one user say no more than one.
    expect(pooled.metrics['ndcg@10']!.low).toBeCloseTo(single.metrics['ndcg@10']!.low, 10);
    expect(pooled.slices['early']!.units).toBe(200);
    const strangers = folds.map((fold) =>
      marks(
        units.map((unit) => `${unit}${fold}@${fold}`),
        base,
      ),
    );
    const { low, high } = (await evaluate(input({ challenger: strangers }, folds))).contenders['challenger']!.metrics['ndcg@10']!;
    const { low: lowOfOne, high: highOfOne } = single.metrics['ndcg@10']!;
    expect((high - low) / (highOfOne - lowOfOne)).toBeCloseTo(1 / 2, 1);
  });

  test('draws the units of a group as a whole, in all folds', async () => {
    const rows = units.flatMap((unit) => [`${unit}a`, `${unit}b`]);
    const twice = base.flatMap((value) => [value, value]);
    const own = units.flatMap((unit) => [unit, unit]);
    const interval = async (grouped: boolean) => {
      const { contenders } = await evaluate(input({ challenger: [{ ...marks(rows, twice), ...(grouped && { groups: own }) }] }));
      return contenders['challenger']!.metrics['ndcg@10']!;
    };
    const [whole, torn] = [await interval(true), await interval(false)];
    const single = (await evaluate(input({ challenger: [marks(units, base)] }))).contenders['challenger']!.metrics['ndcg@10']!;
    expect(whole.low).toBeCloseTo(single.low, 10);
    expect(whole.high).toBeCloseTo(single.high, 10);
    expect(torn.high - torn.low).toBeLessThan(0.8 * (single.high - single.low));
  });

  describe('of a metric that some units do not have', () => {
    const spread = ofColumns(
      'Spread',
      'higher',
      ['ndcg'],
      (values) =>
        (times = once(values.length)) => {
          const kinds = new Set(Array.from(values).filter((_, at) => times[at]! > 0));
          return kinds.size > 1 ? kinds.size : Number.NaN;
        },
      'all units are alike',
    );
    const spreadOf = (values: readonly number[], slices = {}, metric = 'spread') => {
      const given = input(
        {
          challenger: [
            marks(
              values.map((_, at) => `u${at}`),
              values,
              slices,
            ),
          ],
        },
        ['test'],
        metric,
      );
      return evaluate({ ...given, task: { kind: 'recommendation', metrics: { spread, error: meanOf('Error', 'error', 'lower') } } });
    };

    test('leaves it out of a slice, and such resamples out of its interval', async () => {
      const { metrics, slices } = (await spreadOf([1, 2], { first: [true, false], both: [true, true] })).contenders['challenger']!;
      expect(metrics['spread']).toEqual({ value: 2, low: 2, high: 2 });
      expect(Object.keys(slices['first']!.metrics)).toEqual(['error']);
      expect(slices['both']!.metrics['spread']).toBe(2);
    });

    test('leaves it out altogether where nobody has it, unless the gate asks for it', async () => {
      expect(Object.keys((await spreadOf([1, 1], {}, 'error')).contenders['challenger']!.metrics)).toEqual(['error']);
      await expect(spreadOf([1, 1])).rejects.toThrow(
        expect.objectContaining({ code: 'DatasetInvalid', message: expect.stringContaining('all units are alike') }),
      );
    });
  });

  test('is the same each time', async () => {
    const run = () => evaluate(input({ challenger: [marks(units, base)], champion: [marks(units, [...base].reverse())] }));
    expect(await run()).toEqual(await run());
  });

  test.each([
    ['nobody was examined', { challenger: [marks([], [])] }, ['test'], 'DatasetInvalid'],
    ['two contenders sat different exams', { challenger: [marks(['a'], [1])], champion: [marks(['b'], [1])] }, ['test'], 'Bug'],
    ['there is no challenger', { champion: [marks(['a'], [1])] }, ['test'], 'Bug'],
    ['a fold is missing', { challenger: [marks(['a'], [1])] }, ['x', 'y'], 'Bug'],
    ['units of folds do not say their fold', { challenger: [marks(['a'], [1]), marks(['a'], [1])] }, ['x', 'y'], 'Bug'],
  ])('is refused when %s', async (_, contenders, folds, code) => {
    await expect(evaluate(input(contenders, folds))).rejects.toThrow(expect.objectContaining({ code }));
  });

  test('of five recommenders and 542 users takes well under a second', async () => {
    const users = Array.from({ length: 542 }, (_, at) => `u${at}`);
    const columns = Object.fromEntries(
      ['ndcg', 'recall', 'hit', 'averagePrecision', 'selfInformation', 'recommended', 'catalogue'].map((name) => [name, users.map(next)]),
    );
    const contender: Marks = { units: users, columns, slices: {}, answers: users.map(() => ['1', '2']), facts: {} };
    const contenders = Object.fromEntries(['challenger', 'champion', 'anchor', 'popularity', 'random'].map((name) => [name, [contender]]));
    const startMs = performance.now();
    await evaluate({ ...input(contenders), task: recommendation });
    const tookMs = performance.now() - startMs;
    process.stderr.write(`evaluation of five contenders: ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(10_000);
  });
});
