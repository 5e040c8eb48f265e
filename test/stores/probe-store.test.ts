import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { probeStore } from '../../stores/probe-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';

/** Keeps every promise but those that a test breaks. */
function storeThat(breaks: (whole: ReturnType<typeof createStoreInMemory>) => Partial<ObjectStore>): ObjectStore {
  const whole = createStoreInMemory();
  return { ...whole, ...breaks(whole) };
}

describe('a probe of a store', () => {
  test('finds nothing wrong with a folder, tells its clock, and leaves nothing behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-probe-test-'));
    try {
      const store = await openStore(folder);
      expect(Math.abs((await probeStore(store)).clockAheadMs)).toBeLessThan(60_000);
      for await (const { key } of store.list('')) throw new Error(`${key} was left`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each<[string, RegExp, ObjectStore]>([
    [
      'lets the last writer win, and tells each that it won',
      /ignores conditions: of 16 writers/,
      storeThat(({ objects }) => ({
        async settle(key, body) {
          objects.set(key, Buffer.from(body));
          return body;
        },
      })),
    ],
    [
      'lets a latecomer replace what stands',
      /ignores conditions: an object was written twice/,
      storeThat(({ objects, settle }) => ({
        async settle(key, body) {
          if (String(body) === 'a latecomer') objects.delete(key);
          return settle(key, body);
        },
      })),
    ],
    [
      'keeps bytes that are not those of their checksum',
      /not those of their checksum/,
      storeThat(({ objects }) => ({
        async upload(key, { path }) {
          objects.set(key, await readFile(path));
        },
      })),
    ],
    [
      'lists late',
      /does not list/,
      storeThat(() => ({
        async *list() {},
      })),
    ],
  ])('refuses one that %s', async (_, reason, store) => {
    await expect(probeStore(store)).rejects.toMatchObject({ code: 'StoreUnsafe', message: expect.stringMatching(reason) });
  });

  test('takes away what killed probes left a day ago, and nothing of those that are under way', async () => {
    const hour = 3_600_000;
    const left = ['probe/killed/small', 'probe/killed/timed', 'probe/under-way/small'] as const;
    const store = storeThat(({ head }) => ({
      async head(place) {
        const found = await head(place);
        return found && { ...found, modified: new Date(Date.now() - (place.includes('/killed/') ? 25 : 1) * hour) };
      },
    }));
    for (const each of left) await store.settle(key(each), Buffer.from('left'));
    await probeStore(store);
    expect(await keysOf(store, '')).toEqual(['probe/under-way/small']);
  });

  test('tells how far its clock is off', async () => {
    const hour = 3_600_000;
    const store = storeThat(({ head }) => ({
      head: async (key) => {
        const found = await head(key);
        return found && { ...found, modified: new Date(Date.now() + hour) };
      },
    }));
    expect((await probeStore(store)).clockAheadMs / hour).toBeCloseTo(1, 1);
  });
});
