import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { bootstrap, quantile } from '../../core/bootstrap.ts';
import { mean as meanOf } from '../../core/metrics/columns.ts';
import { random } from '../../core/random.ts';

const { intervals } = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/recommendation.json'), 'utf8')) as {
  readonly intervals: {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly c: readonly number[];
    readonly clusters: readonly number[];
    readonly paired: readonly [number, number];
    readonly clustered: readonly [number, number];
  };
};

const alone = (units: number) => Int32Array.from({ length: units }, (_, unit) => unit);

describe('the bootstrap', () => {
  const within = (bound: number, expected: number, width: number) => expect(Math.abs(bound - expected) / width).toBeLessThan(0.03);

  test('gives the paired interval of SciPy', async () => {
    const { a, b, paired } = intervals;
    const [ours, theirs] = [meanOf(a), meanOf(b)];
    const [gain] = await bootstrap((times) => [ours(times) - theirs(times)], { clusters: alone(a.length), confidence: 0.95, resamples: 20_000 });
    within(gain!.low, paired[0], paired[1] - paired[0]);
    within(gain!.high, paired[1], paired[1] - paired[0]);
    expect(gain!.value).toBeCloseTo(ours() - theirs(), 12);
  });

  test('draws clusters as a whole, which widens the interval as in SciPy', async () => {
    const { c, clusters, clustered } = intervals;
    const options = { confidence: 0.95, resamples: 20_000 };
    const measure = meanOf(c);
    const [mean] = await bootstrap((times) => [measure(times)], { ...options, clusters: Int32Array.from(clusters) });
    within(mean!.low, clustered[0], clustered[1] - clustered[0]);
    within(mean!.high, clustered[1], clustered[1] - clustered[0]);
    const [naive] = await bootstrap((times) => [measure(times)], { ...options, clusters: alone(c.length) });
    expect(mean!.high - mean!.low).toBeGreaterThan(1.2 * (naive!.high - naive!.low));
  });

  test('gives the same interval for the same seed, and another for another', async () => {
    const measure = meanOf(intervals.a);
    const run = (seed: number) => bootstrap((times) => [measure(times)], { clusters: alone(120), confidence: 0.9, seed });
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  test('holds the true mean in about 95 % of 400 experiments', async () => {
    const { normal } = random(5);
    let covered = 0;
    for (let experiment = 0; experiment < 400; experiment++) {
      const measure = meanOf(Float64Array.from({ length: 80 }, normal));
      const [mean] = await bootstrap((times) => [measure(times)], { clusters: alone(80), confidence: 0.95, resamples: 400, seed: experiment });
      if (mean!.low <= 0 && mean!.high >= 0) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.92);
    expect(covered / 400).toBeLessThan(0.98);
  });

  test('gives a point where every unit is equal', async () => {
    expect(await bootstrap((times) => [meanOf([3, 3, 3])(times)], { clusters: alone(3), confidence: 0.95 })).toEqual([{ value: 3, low: 3, high: 3 }]);
  });

  test('waits for whoever hears of its progress', async () => {
    let heard = 0;
    const progress = async (done: number, total: number) => {
      await new Promise((resolve) => setImmediate(resolve));
      expect(total).toBe(100);
      heard = done;
    };
    await bootstrap(() => [heard], { clusters: alone(3), confidence: 0.95, resamples: 100, progress });
    expect(heard).toBe(100);
  });

  test('leaves resamples out for which a measure is undefined', async () => {
    const [some, none] = await bootstrap((times) => [times && times[0]! > 0 ? Number.NaN : 5, Number.NaN], { clusters: alone(2), confidence: 0.95 });
    expect(some).toEqual({ value: 5, low: 5, high: 5 });
    expect(none).toEqual({ value: Number.NaN, low: Number.NaN, high: Number.NaN });
  });

  test('refuses to estimate from nothing', async () => {
    await expect(bootstrap(() => [0], { clusters: alone(0), confidence: 0.95 })).rejects.toThrow(expect.objectContaining({ code: 'DatasetInvalid' }));
  });
});

test('quantiles lie linearly between order statistics', () => {
  expect([0, 0.25, 0.5, 0.9, 1].map((share) => quantile([1, 2, 4, 8], share))).toEqual(
    [1, 1.75, 3, 6.8, 8].map((value) => expect.closeTo(value, 12)),
  );
});
