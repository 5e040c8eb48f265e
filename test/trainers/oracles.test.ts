import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { trainers } from '../../trainers/index.ts';
import { trainingContext } from '../support/training.ts';
import { fromLikes, scoresById } from './ratings.ts';

interface Oracle {
  readonly wide: number[][];
  readonly tall: number[][];
  readonly request: number[];
  readonly ease: Record<'wide' | 'tall', { l2: number; scores: number[] }>;
  readonly itemKnn: { shrinkage: number; scores: number[] };
  readonly als: { l2: number; confidence: number; epochs: number; scores: number[] };
}

/** Made by test/oracles/recommenders.py with numpy. */
const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/recommenders.json'), 'utf8')) as Oracle;

const liked = oracle.request.map((id) => ({ id: String(id) }));

/** The expected score of every item that the request does not hold. */
function expectScores(scores: Map<string, number>, expected: readonly number[], digits: number): void {
  expected.forEach((score, item) => {
    if (!oracle.request.includes(item)) expect(scores.get(String(item)) ?? 0).toBeCloseTo(score, digits);
  });
}

describe('numbers that numpy gives too', () => {
  test.each(['wide', 'tall'] as const)('EASE on a matrix that is %s: the solve over users and the one over items are the same', async (shape) => {
    const data = fromLikes(oracle[shape]);
    const { l2, scores } = oracle.ease[shape];
    const { onnx } = await trainers.ease.fit(data, { l2, neighbours: 100 }, trainingContext());
    expectScores(await scoresById(onnx, data, liked), scores, 5);
  });

  test('item-kNN: the cosine with shrinkage', async () => {
    const data = fromLikes(oracle.tall);
    const { onnx } = await trainers['item-knn'].fit(data, { neighbours: 100, shrinkage: oracle.itemKnn.shrinkage }, trainingContext());
    expectScores(await scoresById(onnx, data, liked), oracle.itemKnn.scores, 5);
  });

  test('implicit ALS: the sweeps, and the fold-in of a request inside the graph', async () => {
    const { l2, confidence, epochs, scores } = oracle.als;
    const data = fromLikes(oracle.wide);
    const { onnx } = await trainers['implicit-als'].fit(data, { factors: 4, l2, confidence, epochs }, trainingContext());
    expectScores(await scoresById(onnx, data, liked), scores, 4);
  });
});
