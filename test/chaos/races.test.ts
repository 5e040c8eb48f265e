import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openRegistry } from '../../registry/registry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import type { BrokenStore } from './broken-stores.ts';
import { race } from './race.ts';
import { openTestStores, type TestStore } from './test-stores.ts';

let stores: readonly TestStore[];
const openStores = async (kinds: string) => void (stores = await openTestStores(kinds));
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
});

test('a hundred promotions that race from four processes have one winner an entry, and what everybody saw is linearisable', async () => {
  await openStores('both');
  for (const { uri, kind } of stores) {
    const { violations, ...report } = await race({ store: uri, promotions: 100, processes: 4 });
    expect({ kind, violations }).toEqual({ kind, violations: [] });
    expect(report.promoted).toBe(100);
    // They did race: all but one lose the first entry.
    expect(report.refused).toBeGreaterThanOrEqual(3);
  }
}, 180_000);

test('whoever cuts off the tail of what was raced for is contradicted by those who saw it', async () => {
  await openStores('folder');
  const { uri } = stores[0]!;
  await race({ store: uri, promotions: 20, processes: 2 });
  const store = await openStore(uri);
  const place = { model: 'raced', segment: 'all' };
  const folder = await mkdtemp(join(tmpdir(), 'perennial-race-'));
  const registry = openRegistry(store, await openBlobs(store, folder));
  await registry.entries(place);
  await registry.mark(place);
  const last = (await keysOf(store, 'models/raced/all/log/')).at(-1)!;
  const lacking = async () => (await verify(store)).findings.filter(({ object }) => object === last);
  expect(await lacking()).toEqual([]);
  await store.remove(last);
  expect(await lacking()).toMatchObject([{ problem: 'missing' }]);
  await rm(folder, { recursive: true, force: true });
});

test.each<[BrokenStore, string]>([
  ['ignoresConditions', 'a driver that ignores the condition of a write'],
  ['listsLate', 'a driver whose listings lag'],
  ['acknowledgesEarly', 'a driver that says "done" before anybody can see it'],
])('the same check catches %s: %s', async (broken) => {
  await openStores('folder');
  const { violations } = await race({ store: stores[0]!.uri, promotions: 40, processes: 4, broken });
  expect(violations).not.toEqual([]);
});
