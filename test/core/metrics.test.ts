import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rankingMarks } from '../../core/metrics/ranking.ts';
import { random } from '../../core/random.ts';
import { topK } from '../../core/top-k.ts';

const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/recommendation.json'), 'utf8')) as {
  readonly cases: readonly {
    readonly name: string;
    readonly scores: readonly number[];
    readonly exclude: readonly number[];
    readonly relevant: readonly number[];
    readonly ranking: readonly number[];
    readonly ndcg: number;
    readonly averagePrecision: number;
    readonly recall: number;
    readonly hit: number;
  }[];
};

describe('the marks of a ranking', () => {
  test.each(cases)('are those of scikit-learn: $name', ({ ranking, relevant, ...expected }) => {
    const marks = rankingMarks(ranking, relevant, 10);
    for (const name of ['ndcg', 'averagePrecision', 'recall', 'hit'] as const) expect(Math.abs(marks[name] - expected[name])).toBeLessThan(1e-9);
  });

  test('count no hit for an unknown item, even if a ranking named it', () => {
    expect(rankingMarks([-1, 2], [-1], 10)).toEqual({ ndcg: 0, recall: 0, hit: 0, averagePrecision: 0 });
  });

  test('are zero for an empty ranking', () => {
    expect(rankingMarks([], [3, 4], 10)).toEqual({ ndcg: 0, recall: 0, hit: 0, averagePrecision: 0 });
  });

  test('look at no more than k places', () => {
    expect(rankingMarks([9, 8, 1], [1], 2).hit).toBe(0);
    expect(rankingMarks([9, 8, 1], [1], 3)).toEqual({ ndcg: 0.5, recall: 1, hit: 1, averagePrecision: 1 / 3 });
  });
});

describe('the top k', () => {
  test.each(cases)('are in the order of NumPy, ties to the earlier position: $name', ({ scores, exclude, ranking }) => {
    expect(topK(Float32Array.from(scores), 10, exclude)).toEqual(ranking);
  });

  test('equal a full sort for any k', () => {
    const { below } = random(3);
    const scores = Float32Array.from({ length: 2000 }, () => below(50));
    const sorted = [...scores.keys()].toSorted((a, b) => scores[b]! - scores[a]! || a - b).filter((position) => position % 3 !== 0);
    const thirds = sorted.length * 2;
    const exclude = Array.from({ length: thirds }, (_, at) => at * 3);
    for (const k of [0, 1, 10, 100, 5000]) expect(topK(scores, k, exclude)).toEqual(sorted.slice(0, k));
  });

  test('leave out what a model scores −∞ or NaN', () => {
    expect(topK([1, -Infinity, NaN, -5, Infinity], 10)).toEqual([4, 0, 3]);
  });
});
