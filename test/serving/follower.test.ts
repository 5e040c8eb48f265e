import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MlError } from '../../core/errors.ts';
import type { SegmentState } from '../../core/registry-entry.ts';
import { openRegistry, type Place } from '../../registry/registry.ts';
import { openFollower, type Follower, type FollowerOptions } from '../../serving/follower.ts';
import { openStore } from '../../stores/open-store.ts';
import { films, rule } from './films.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
let follower: Follower;

beforeEach(async () => {
  shop = await openShop();
});

afterEach(async () => {
  await follower.close();
  await shop.close();
});

/** Follows the shop until `enough` says that the states told so far are enough. */
function followUntil(enough: (states: readonly SegmentState[]) => boolean, options: Partial<FollowerOptions> = {}): Promise<readonly SegmentState[]> {
  return new Promise((resolve) => {
    const states: SegmentState[] = [];
    follower = openFollower({
      registry: shop.registry,
      everyMs: 5,
      rescanMs: 1e9,
      ended: () => [],
      refused: () => [],
      onState: async (state) => {
        states.push(state);
        if (enough(states)) resolve(states);
      },
      onFailure() {},
      ...options,
    });
    follower.start();
  });
}

const named = (model: string) => shop.release({ model, onnx: rule(['1']), items: films });

describe('a follower of the registry', () => {
  test('tells what stands when it starts, and what changes afterwards', async () => {
    await named('first');
    const states = followUntil((told) => told.some(({ model, champion }) => model === 'second' && champion === 1));
    await named('second');
    expect((await states)[0]).toMatchObject({ model: 'first', champion: 1 });
  });

  test('says why a look failed, reads everything again, and is well afterwards', async () => {
    await named('first');
    let fail = true;
    const failures: unknown[] = [];
    let failureSeen: string | undefined;
    const registry = {
      ...shop.registry,
      async heights() {
        if (!fail) return shop.registry.heights();
        fail = false;
        throw new Error('the store is away');
      },
    };
    await followUntil(() => true, {
      registry,
      onFailure(error) {
        failures.push(error);
        failureSeen = follower.failure;
      },
    });
    expect(failures).toEqual([new Error('the store is away')]);
    expect(failureSeen).toBe('the store is away');
    await followed(() => follower.failure === undefined && follower.caughtUp);
  });

  test('looks again, without a hint, at a place whose version ended', async () => {
    await named('first');
    const ended: Place[] = [];
    const states = await followUntil(
      (told) => {
        if (ended.length === 0) ended.push({ model: 'first', segment: 'all' });
        return told.length === 3;
      },
      { ended: () => ended, registry: { ...shop.registry, follow: () => ({ changes: async () => [] }) } },
    );
    expect(states.map(({ model }) => model)).toEqual(['first', 'first', 'first']);
  });

  test('follows every other place while one log is corrupt, says which one is, and is well once it is restored', async () => {
    await named('corrupt');
    await named('healthy');
    const entry = join(shop.folder, 'store/models/corrupt/all/log/000000000001.json');
    const whole = await readFile(entry);
    await chmod(entry, 0o644);
    await writeFile(entry, 'torn');
    const failures: unknown[] = [];
    const states: SegmentState[] = [];
    // A registry that has read nothing yet, as that of a server that starts.
    const registry = openRegistry(await openStore(join(shop.folder, 'store')), shop.blobs);
    follower = openFollower({
      registry,
      everyMs: 5,
      rescanMs: 20,
      ended: () => [],
      refused: () => [],
      onState: async (state) => void states.push(state),
      onFailure: (error) => failures.push(error),
    });
    follower.start();
    await followed(() => follower.caughtUp && states.some(({ model, champion }) => model === 'healthy' && champion === 1));
    await shop.release({ model: 'healthy', onnx: rule(['2']), items: films });
    await followed(() => states.some(({ model, champion }) => model === 'healthy' && champion === 2));
    expect(follower.failure).toMatch(/^corrupt\/all: .*000000000001\.json .* is no JSON/);
    expect(failures).toHaveLength(1);
    await writeFile(entry, whole);
    await followed(() => follower.failure === undefined);
    expect(states.at(-1)!.champion).toBeGreaterThan(0);
    expect(states.some(({ model }) => model === 'corrupt')).toBe(true);
  });

  test('has not caught up while the store keeps a log from it, and looks at that one until it can', async () => {
    await named('first');
    await named('second');
    let away = true;
    const told: string[] = [];
    const caughtUp: boolean[] = [];
    follower = openFollower({
      registry: {
        ...shop.registry,
        async state(place) {
          if (place.model === 'second' && away) throw new MlError('StoreUnavailable', 'the store is away');
          return shop.registry.state(place);
        },
      },
      everyMs: 5,
      rescanMs: 1e9,
      ended: () => [],
      refused: () => [],
      onState: async ({ model }) => void told.push(model),
      onFailure: () =>
        void setTimeout(() => {
          caughtUp.push(follower.caughtUp);
          away = false;
        }, 100),
    });
    follower.start();
    await followed(() => told.includes('second') && follower.caughtUp);
    expect(caughtUp).toEqual([false]);
    expect(told.toSorted()).toEqual(['first', 'second']);
  });

  test('reads no log again that did not grow, but that of a refused champion', async () => {
    await named('still');
    await named('refused');
    const states = await followUntil((told) => told.length === 5, {
      rescanMs: 0,
      refused: () => [{ model: 'refused', segment: 'all' }],
      registry: { ...shop.registry, follow: () => ({ changes: async () => [] }) },
    });
    expect(states.map(({ model }) => model)).toEqual(['refused', 'still', 'refused', 'refused', 'refused']);
  });

  test('makes up for a lost hint by reading everything now and then', async () => {
    const states = followUntil((told) => told.some(({ model }) => model === 'silent'), {
      rescanMs: 20,
      registry: { ...shop.registry, follow: () => ({ changes: async () => [] }) },
    });
    await named('silent');
    expect((await states).length).toBeGreaterThan(0);
  });
});

async function followed(arrived: () => boolean): Promise<void> {
  while (!arrived()) await new Promise((resolve) => setTimeout(resolve, 5));
}
