import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recommender, startSystem } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startSystem();
}, 120_000);
afterAll(async () => system?.close());

describe('train', () => {
  test('promotes a first version', async () => {
    const run = await system.client.train(recommender('first'), { by: 'anna' });
    const outcome = await run.result();
    expect(outcome).toMatchObject({ outcome: 'promoted', version: 1, verdict: { name: 'better' } });
  });
});
