import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { random } from '../../core/random.ts';

const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/xoshiro.json'), 'utf8')) as readonly {
  readonly seed: number | string;
  readonly draws: readonly number[];
}[];

describe('random', () => {
  test.each(oracle)('draws what xoshiro128** draws from the seed $seed', ({ seed, draws }) => {
    const { uint32 } = random(seed);
    expect(draws.map(uint32)).toEqual(draws);
  });

  test('draws every number below a bound equally often', () => {
    const { below } = random(7);
    const counts = new Float64Array(7);
    for (let draw = 0; draw < 70_000; draw++) counts[below(7)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(22.5); // the 99.9th percentile with 6 degrees of freedom
  });

  test('draws fractions and normal deviates with the right mean and variance', () => {
    const { next, normal } = random(11);
    const moments = (draw: () => number) => {
      const values = Array.from({ length: 100_000 }, draw);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
    };
    const [uniformMean, uniformVariance] = moments(next);
    expect(uniformMean).toBeCloseTo(1 / 2, 2);
    expect(uniformVariance).toBeCloseTo(1 / 12, 2);
    const [normalMean, normalVariance] = moments(normal);
    expect(normalMean).toBeCloseTo(0, 1);
    expect(normalVariance).toBeCloseTo(1, 1);
  });
});
