import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Evaluation } from '../../core/evaluation.ts';
import { paymentFraud } from '../../pipelines/payment-fraud/payment-fraud.ts';
import { realData } from '../support/real-data.ts';
import { startSystem, type TestSystem } from '../workflows/harness.ts';

const transactions = realData('fraud-handbook');
let data: string;
let system: TestSystem;

beforeAll(async () => {
  if (transactions === undefined) return;
  data = await mkdtemp(join(tmpdir(), 'perennial-fraud-'));
  await writeFile(join(data, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
  system = await startSystem({ data, worker: { connections: { payments: { kind: 'folder', path: transactions } } } });
}, 120_000);
afterAll(async () => {
  if (transactions === undefined) return;
  await system.close();
  await rm(data, { recursive: true, force: true });
});

(transactions === undefined ? test.skip : test)(
  'payment-fraud makes windows of 1.75 million transactions, and beats its baselines on the cards of the week after its labels were known',
  async () => {
    const outcome = await (await system.client.train(paymentFraud, {})).result();
    if (outcome.outcome === 'unchanged') throw new Error(JSON.stringify(outcome));
    const { contenders, units } = JSON.parse(String(await system.blobs.readBytes(outcome.evaluation.sha256))) as Evaluation;
    const of = (contender: string, metric: string): number => contenders[contender]!.metrics[metric]!.value;
    process.stderr.write(
      `payment-fraud: ${JSON.stringify(Object.fromEntries(Object.keys(contenders).map((name) => [name, contenders[name]!.metrics])))}\n`,
    );
    expect(units).toBe(58_264);
    expect(outcome.verdict).toMatchObject({ name: 'better' });
    expect(of('challenger', 'average-precision')).toBeGreaterThan(0.63);
    expect(of('challenger', 'roc-auc')).toBeGreaterThan(0.875);
    // Two thirds of what it costs to stop no payment at all, which is far cheaper than to stop all.
    expect(of('challenger', 'savings')).toBeGreaterThan(0.65);
    expect(of('challenger', 'cost-none')).toBeLessThan(of('challenger', 'cost-all'));
    expect(of('logistic', 'average-precision')).toBeLessThan(of('challenger', 'average-precision'));
  },
  1_200_000,
);
