import { expect, test } from '@jest/globals';
import { random as seeded } from '../../core/random.ts';
import { lineageEvents } from '../../lineage/open-lineage.ts';
import { lineageOf } from '../../registry/lineage.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';
import { openLineageCheck } from '../support/open-lineage.ts';
import { growRandomly, openStoreWithLineage } from './random-store.ts';

const check = openLineageCheck();

(check === undefined ? test.skip : test)(
  'the lineage of a version is told in valid events, and what one step wrote is what another read',
  async () => {
    const at = await openStoreWithLineage(createStoreInMemory());
    await growRandomly(at, seeded(1).next, [0, 1, 2, 3]);
    const [place] = await at.registry.heights();
    const events = lineageEvents(await lineageOf(at.store, at.registry, `${place!.model}/${place!.segment}@1`), {
      namespace: 'default',
      store: 'memory:',
    });
    expect(events.length).toBeGreaterThan(3);
    expect(events.flatMap((event) => check!(event))).toEqual([]);
    const written = new Set(events.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
    const read = events.flatMap(({ inputs }) => inputs.map(({ name }) => name));
    expect(read.some((name) => written.has(name))).toBe(true);
    // Inputs that nothing made are content from outside; every other one is somebody's output.
    expect(read.filter((name) => !written.has(name)).every((name) => name.startsWith('content/'))).toBe(true);
    await at.close();
  },
);
