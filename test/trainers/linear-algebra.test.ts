import { describe, expect, test } from '@jest/globals';
import { MlError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import { cholesky, inverseFromCholesky, solveInPlace } from '../../trainers/linear-algebra.ts';
import { keepNearest, nthLargest } from '../../trainers/neighbours.ts';

const still = async () => {};

/** XᵀX + I of a random X. */
function positiveDefinite(size: number): Float64Array {
  const draw = random(size);
  const x = Float64Array.from({ length: size * size }, () => draw.normal());
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    let sum = i === j ? 1 : 0;
    for (let k = 0; k < size; k++) sum += x[k * size + i]! * x[k * size + j]!;
    return sum;
  });
}

describe('linear algebra', () => {
  test.each([1, 2, 3, 5, 63, 64, 65, 131])('a matrix of size %i times its inverse is the identity', async (size) => {
    const a = positiveDefinite(size);
    const factor = a.slice();
    await cholesky(factor, size, still);
    const inverse = await inverseFromCholesky(factor, size, still);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += a[i * size + k]! * inverse[k * size + j]!;
        expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-7);
      }
    }
  });

  test('a small system is solved', () => {
    const b = Float64Array.of(5, 4);
    solveInPlace(Float64Array.of(4, 1, 1, 3), b, 2);
    expect([...b]).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
  });

  test('a matrix that is not positive definite is refused, with the row', async () => {
    await expect(cholesky(Float64Array.of(1, 2, 2, 1), 2, still)).rejects.toThrow(MlError);
    await expect(cholesky(Float64Array.of(1, 2, 2, 1), 2, still)).rejects.toThrow(/row 1/);
  });
});

describe('the nearest', () => {
  test('the n-th largest is that of a sort', () => {
    const draw = random('select');
    for (let round = 0; round < 200; round++) {
      const values = Float64Array.from({ length: 1 + draw.below(30) }, () => draw.below(8));
      const n = 1 + draw.below(values.length);
      expect(nthLargest(values.slice(), n)).toBe(values.toSorted((a, b) => b - a)[n - 1]);
    }
  });

  test('of equal weights the lower item is kept, the own one never', async () => {
    const kept = await keepNearest(new Float64Array(5).fill(1), 2, (_item, row) => row.set([3, 1, 1, 1, -2]), still);
    expect([...kept.ids.subarray(0, 2)]).toEqual([1, 4]);
    expect([...kept.weights.subarray(0, 2)]).toEqual([1, -2]);
    expect([...kept.ids.subarray(2, 4)]).toEqual([0, 4]);
  });
});
