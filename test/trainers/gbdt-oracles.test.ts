import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { fitForest } from '../../trainers/gbdt/fit.ts';
import { scoresOf } from '../../trainers/gbdt/forest.ts';
import { objectiveOf } from '../../trainers/gbdt/losses.ts';
import type { GbdtOptions, Loss } from '../../trainers/gbdt/options.ts';
import type { LabelledRows } from '../../trainers/gbdt/table.ts';
import { oracleRows, plainRows, ROWS } from './gbdt-rows.ts';

const oracle = JSON.parse(readFileSync(new URL('../oracles/gbdt.json', import.meta.url), 'utf8')) as {
  readonly losses: Readonly<Record<Loss['name'], number>>;
  readonly weighted: number;
  readonly monotone: number;
  readonly sampled: number;
  readonly penalised: number;
};

const losses: readonly Loss[] = [
  { name: 'squared' },
  { name: 'absolute' },
  { name: 'quantile', alpha: 0.9 },
  { name: 'logistic' },
  { name: 'softmax', classes: 3 },
  { name: 'poisson' },
];

/** Mean loss on LightGBM's test rows. */
async function testLoss(training: LabelledRows, options: Partial<GbdtOptions> & { readonly loss: Loss }): Promise<number> {
  const { forest } = await fitForest(training, options);
  const { features, labels } = plainRows(options.loss.name, ROWS, 2 * ROWS);
  const scores = Float64Array.from(scoresOf(forest, features).flatMap((each) => [...each]));
  return objectiveOf(options.loss).total({ labels: Float64Array.from(labels), weights: undefined, scores, stride: ROWS }, 0, ROWS) / ROWS;
}

describe('losses on new rows are those of LightGBM, or smaller', () => {
  test.each(losses)('$name', async (loss) => {
    const mine = await testLoss(plainRows(loss.name), { loss });
    expect(mine / oracle.losses[loss.name]).toBeLessThan(1.01);
    expect(mine / oracle.losses[loss.name]).toBeGreaterThan(0.95);
  });

  test.each<[keyof typeof oracle & ('monotone' | 'sampled' | 'penalised'), Partial<GbdtOptions>]>([
    ['monotone', { monotone: [1, 1] }],
    ['sampled', { rowShare: 0.7, columnShare: 0.7 }],
    ['penalised', { l1: 5, l2: 20, minGain: 1, maxDepth: 4 }],
  ])('squared, %s', async (name, options) => {
    const mine = await testLoss(plainRows('squared'), { loss: { name: 'squared' }, ...options });
    expect(mine / oracle[name]).toBeLessThan(1.015);
    expect(mine / oracle[name]).toBeGreaterThan(0.95);
  });

  test('squared, with weights', async () => {
    const mine = await testLoss(oracleRows('squared'), { loss: { name: 'squared' } });
    expect(mine / oracle.weighted).toBeLessThan(1.01);
    expect(mine / oracle.weighted).toBeGreaterThan(0.95);
  });
});
