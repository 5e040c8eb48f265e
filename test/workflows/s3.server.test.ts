import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TrainOutcome } from '../../core/run.ts';
import { verify } from '../../registry/verify/verify.ts';
import { startPredictionServer } from '../../serving/server.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';
import { hasS3, startTestS3, type TestS3 } from '../support/s3.ts';
import { recommender, startSystem, type TestSystem, until, workOf } from './harness.ts';

(hasS3 ? describe : describe.skip)('with a store in a bucket', () => {
  let s3: TestS3;
  let system: TestSystem;
  beforeAll(async () => {
    s3 = await startTestS3();
    system = await startSystem({ store: s3.storeUri() });
  }, 120_000);
  afterAll(async () => {
    await system?.close();
    await s3.close();
  });

  test('a model is trained, promoted, served and verified; the next run finds all of it', async () => {
    const run = await system.client.train(recommender('films'));
    expect(await run.result()).toMatchObject({ outcome: 'promoted', version: 1 } satisfies Partial<TrainOutcome>);

    const { storeUri, folder, registry, runs } = system;
    const store = await openStore(storeUri);
    const server = await startPredictionServer({ registry, blobs: await openBlobs(store, join(folder, 'served')), store, followEveryMs: 100 });
    try {
      await until('the server is ready', async () => (await fetch(`${server.url}/ready`)).status === 200);
      const response = await fetch(`${server.url}/v1/models/films/recommend`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: '1' }),
      });
      expect(await response.json()).toMatchObject({
        version: 1,
        items: expect.arrayContaining([expect.objectContaining({ id: expect.any(String) })]),
      });
    } finally {
      await server.close();
    }
    await until('the run is archived', async () => (await runs.find(run.runId)) !== undefined);

    const again = await system.client.train(recommender('films'));
    expect(await again.result()).toMatchObject({ outcome: 'unchanged', version: 1 });
    expect((await workOf(system, again.runId)).made).toEqual([]);
    const { findings, entries, versions } = await verify(store);
    expect({ findings, entries, versions }).toEqual({ findings: [], entries: 3, versions: 1 });
  }, 120_000);
});
