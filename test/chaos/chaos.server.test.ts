import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Calm, rehearse, type Rehearsal, weather } from './rehearse.ts';
import { openTestStores, type TestStore } from './test-stores.ts';

/** `node dist/test/chaos/chaos.js` is the long version: 300 runs, and each point met. */
const rehearsal: Rehearsal = { runs: 6, seed: 7, mostKills: 8, tell: (line) => void process.stderr.write(`${line}\n`) };

let calm: Calm;
let stores: readonly TestStore[] = [];
beforeAll(async () => {
  calm = await rehearse(rehearsal);
  stores = await openTestStores('both');
}, 240_000);
afterAll(async () => {
  await calm?.close();
  await Promise.all(stores.map((store) => store.close()));
});

test('runs whose workers, children and servers are killed with -9 end with what undisturbed runs leave, and nothing else', async () => {
  for (const store of stores) {
    const { checks, kills } = await weather(calm, store, rehearsal);
    expect({ store: store.kind, broken: checks.filter(({ wrong }) => wrong.length > 0) }).toEqual({ store: store.kind, broken: [] });
    // It did storm.
    expect([...kills.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(4);
  }
}, 600_000);
