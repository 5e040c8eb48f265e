import { probeStore } from '../../stores/probe-store.ts';
import { clockFinding } from './clock.ts';
import type { Check } from './finding.ts';

/** A store is raced: sixteen writers of one key, of whom one may win. */
export const store: Check = {
  of: 'store',
  async look(at) {
    const { store: opened } = await at.keptOrNew();
    const { clockAheadMs, writeMs } = await probeStore(opened);
    return [
      { of: 'store', state: 'well', found: `${opened.uri}: one of 16 racing writers won; a durable write takes ${writeMs.toFixed(0)} ms` },
      clockFinding('the store', clockAheadMs),
    ];
  },
};
