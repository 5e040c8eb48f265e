import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Evaluation } from '../../core/evaluation.ts';
import { deliveryTime } from '../../pipelines/delivery-time/delivery-time.ts';
import { realData } from '../support/real-data.ts';
import { startSystem, type TestSystem } from '../workflows/harness.ts';

const orders = realData('food-delivery');
let data: string;
let system: TestSystem;

beforeAll(async () => {
  if (orders === undefined) return;
  data = await mkdtemp(join(tmpdir(), 'perennial-delivery-'));
  await copyFile(join(orders, 'orders_full_16412.derived.csv'), join(data, 'orders.csv'));
  await writeFile(join(data, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
  system = await startSystem({ data, worker: { connections: { orders: { kind: 'folder', path: data } } } });
}, 120_000);
afterAll(async () => {
  if (orders === undefined) return;
  await system.close();
  await rm(data, { recursive: true, force: true });
});

(orders === undefined ? test.skip : test)(
  'delivery-time learns of two months of orders to be three and a third minutes off on the nine days after, and beats its baselines',
  async () => {
    const outcome = await (await system.client.train(deliveryTime, {})).result();
    if (outcome.outcome === 'unchanged') throw new Error(JSON.stringify(outcome));
    const { contenders, units } = JSON.parse(String(await system.blobs.readBytes(outcome.evaluation.sha256))) as Evaluation;
    const maeOf = (contender: string): number => contenders[contender]!.metrics['mae']!.value;
    process.stderr.write(
      `delivery-time: ${JSON.stringify(Object.fromEntries(Object.keys(contenders).map((name) => [name, contenders[name]!.metrics])))}\n`,
    );
    expect(units).toBe(3230);
    expect(outcome.verdict).toMatchObject({ name: 'better' });
    expect(maeOf('challenger')).toBeLessThan(3.35);
    expect(maeOf('linear')).toBeLessThan(5.2);
  },
  600_000,
);
