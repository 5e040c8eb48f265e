/**
 * How long a process that has read nothing takes to read a log, from its folds and as if there were none, and how many objects it asks for.
 *
 * `node dist/bench/folds.js [entries] [store]` prints one JSON object. The store is a folder of its own unless a path or URI of an empty one is given.
 * Entries are of the size that training leaves: a version is registered, judged and promoted. Times are medians of nine reads each.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command, Entry } from '../core/registry-entry.ts';
import { type Link, openLog } from '../registry/log.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { openStore } from '../stores/open-store.ts';
import { registered, verdict } from '../test/registry/samples.ts';

const length = Number(process.argv[2] ?? 1000);
const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-folds-'));
const store = await openStore(process.argv[3] ?? join(folder, 'store'));
const prefix = 'models/bench/all/log';

function command(n: number): Command {
  const version = Math.ceil(n / 3);
  if (n % 3 === 1) return { kind: 'registered', version, registered: registered(`v${version}`) };
  if (n % 3 === 2) return { kind: 'judged', version, verdict: verdict('better'), against: version === 1 ? null : version - 1 };
  return { kind: 'promoted', version, expect: version === 1 ? null : version - 1, verdict: 'better', reason: 'it is better' };
}

type Reading = { readonly ms: number; readonly reads: number };

async function read(withFolds: boolean): Promise<Reading> {
  let reads = 0;
  const counted: ObjectStore = {
    ...store,
    read: async (place, ...more) => (reads++, withFolds || !place.startsWith('folded/') ? store.read(place, ...more) : undefined),
  };
  const began = performance.now();
  if ((await openLog<Link>(counted, prefix).read()).length !== length) throw new Error('the log is shorter than it was written');
  return { ms: Math.round(performance.now() - began), reads };
}

const median = (readings: readonly Reading[]): Reading => readings.toSorted((a, b) => a.ms - b.ms)[readings.length >> 1]!;

try {
  const log = openLog<Entry>(store, prefix);
  for (let n = 1; n <= length; n++) await log.append(() => ({ command: command(n), at: new Date(n * 1000).toISOString(), by: 'bench', run: null }));
  const fromFolds: Reading[] = [];
  const entryByEntry: Reading[] = [];
  // In turn, so that both meet the same other work of this machine.
  for (let round = 0; round < 9; round++) {
    fromFolds.push(await read(true));
    entryByEntry.push(await read(false));
  }
  process.stdout.write(`${JSON.stringify({ entries: length, fromFolds: median(fromFolds), entryByEntry: median(entryByEntry) }, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
