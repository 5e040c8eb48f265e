import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Calm, rehearse, type Rehearsal, weather } from './rehearse.ts';
import { openTestStores, type TestStore } from './test-stores.ts';

/** `node dist/test/chaos/chaos.js` is the long version, in which each point is met. Here each day has other points, and the other store. */
const seed = Math.floor(Date.now() / 86_400_000);
const rehearsal: Rehearsal = { runs: 6, seed, squall: { points: 2, moments: 2 }, tell: (line) => void process.stderr.write(`${line}\n`) };

let calm: Calm;
let store: TestStore;
beforeAll(async () => {
  calm = await rehearse(rehearsal);
  const [s3] = seed % 2 === 0 ? await openTestStores('s3') : [];
  store = s3 ?? (await openTestStores('folder'))[0]!;
}, 240_000);
afterAll(async () => {
  await calm?.close();
  await store?.close();
});

test('runs whose workers, children and servers are killed with -9 end with what undisturbed runs leave, and nothing else', async () => {
  const { checks, kills } = await weather(calm, store, rehearsal);
  expect({ store: store.kind, seed, broken: checks.filter(({ wrong }) => wrong.length > 0) }).toEqual({ store: store.kind, seed, broken: [] });
  // It did storm.
  expect([...kills.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(2);
}, 600_000);
