import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { conformalHalfWidth } from '../../core/metrics/conformal.ts';
import { intervalCoverage } from '../../core/metrics/regression.ts';
import { random } from '../../core/random.ts';

interface Case {
  readonly name: string;
  readonly label: readonly number[];
  readonly prediction: readonly number[];
  readonly coverage: number;
  readonly halfWidth: number;
}
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/conformal.json'), 'utf8')) as { readonly cases: readonly Case[] };

describe('an interval by split conformal prediction', () => {
  test.each(cases)('is as wide as that of MAPIE: $name', ({ label, prediction, coverage, halfWidth }) => {
    expect(conformalHalfWidth(label, prediction, coverage)).toBeCloseTo(halfWidth, 9);
  });

  test('takes as many rows as it needs, and has no end with fewer', () => {
    const widthOf = (rows: number, coverage: number): number =>
      conformalHalfWidth(
        Array.from({ length: rows }, (_, at) => at),
        Array.from({ length: rows }, () => 0),
        coverage,
      );
    expect([widthOf(9, 0.9), widthOf(8, 0.9), widthOf(4, 0.8), widthOf(3, 0.8), widthOf(0, 0.5)]).toEqual([8, Infinity, 3, Infinity, Infinity]);
  });

  test('holds at least the share that was asked for, on average over draws, and hardly more', () => {
    const draw = random('conformal');
    const label = (rows: number) => Array.from({ length: rows }, () => draw.next() ** 3);
    const shares = Array.from({ length: 2000 }, () => {
      const prediction = Array.from({ length: 200 }, () => 0.2);
      const halfWidth = conformalHalfWidth(label(19), prediction, 0.8);
      const bound = (sign: number) => prediction.map((value) => value + sign * halfWidth);
      return intervalCoverage(label(200), bound(-1), bound(1))();
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    // 16 of 20, exactly; its standard error is 0.002.
    expect(mean).toBeGreaterThan(0.79);
    expect(mean).toBeLessThan(0.81);
  });
});
