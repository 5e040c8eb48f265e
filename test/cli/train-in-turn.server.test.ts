import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { trainInTurn } from '../../cli/demo/train-in-turn.ts';
import { ease, recommender, slow, startSystem, type TestSystem } from '../workflows/harness.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

test('a training that was asked for before, with another request, goes on first, and then the one that is asked for now', async () => {
  const earlier = await system.client.train(recommender('in-turn', { train: [slow(20)] }));
  const waited: string[] = [];
  const run = await trainInTurn(system.client, recommender('in-turn', { train: [ease] }), {}, async (open) => {
    waited.push(open.runId);
    await open.result();
  });
  expect(waited).toEqual([earlier.runId]);
  expect(run.runId).not.toBe(earlier.runId);
  await run.result();
  const { versions } = await system.registry.state({ model: 'in-turn', segment: 'all' });
  expect(versions.map(({ run: by }) => by?.runId)).toEqual([earlier.runId, run.runId]);
});
