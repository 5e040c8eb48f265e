import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { BrokenStore } from './broken-stores.ts';
import { race } from './race.ts';
import { openTestStores, type TestStore } from './test-stores.ts';

let stores: readonly TestStore[];
beforeEach(async () => {
  stores = await openTestStores('both');
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
});

test('a hundred promotions that race from four processes have one winner an entry, and what everybody saw is linearisable', async () => {
  for (const { uri, kind } of stores) {
    const { violations, ...report } = await race({ store: uri, promotions: 100, processes: 4 });
    expect({ kind, violations }).toEqual({ kind, violations: [] });
    expect(report.promoted).toBe(100);
    // They did race.
    expect(report.refused).toBeGreaterThan(10);
  }
});

test.each<[BrokenStore, string]>([
  ['ignoresConditions', 'a driver that ignores the condition of a write'],
  ['listsLate', 'a driver whose listings lag'],
  ['acknowledgesEarly', 'a driver that says "done" before anybody can see it'],
])('the same check catches %s: %s', async (broken) => {
  const { violations } = await race({ store: stores[0]!.uri, promotions: 40, processes: 4, broken });
  expect(violations).not.toEqual([]);
});
