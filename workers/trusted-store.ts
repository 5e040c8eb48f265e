import { Runtime } from '@temporalio/worker';
import type { ObjectStore } from '../stores/object-store.ts';
import { openStore } from '../stores/open-store.ts';
import { probeStore } from '../stores/probe-store.ts';

/** Entries, windows and hints of changes carry the times of whoever writes them. */
const mostAheadMs = 60_000;

/**
 * Opens a store that has just kept its promises: with one that ignores conditions two promotions would both win, and nobody would see it before it is
 * too late. A clock that is off is no reason not to work; the log tells it.
 *
 * @throws {MlError} `StoreUnsafe`, and as `openStore`.
 */
export async function openTrustedStore(uri: string): Promise<ObjectStore> {
  const store = await openStore(uri);
  const { clockAheadMs } = await probeStore(store);
  if (Math.abs(clockAheadMs) > mostAheadMs) {
    const seconds = Math.round(clockAheadMs / 1000);
    Runtime.instance().logger.warn('the clock of this machine and that of the store differ: set both by NTP', {
      store: store.uri,
      storeAheadSeconds: seconds,
    });
  }
  return store;
}
