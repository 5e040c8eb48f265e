/** One of the racing processes. It says that it is ready, waits for a word, races, and sends what it saw. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MlError } from '../../core/errors.ts';
import type { Entry } from '../../core/registry-entry.ts';
import { openRegistry, type Place, type Registry } from '../../registry/registry.ts';
import { openBlobs } from '../../stores/blobs.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { processInput, serviceReady } from '../../workers/process-service.ts';
import { type BrokenStore, brokenStores } from './broken-stores.ts';
import type { Operation } from './log-model.ts';

export interface Racing {
  readonly process: number;
  readonly store: string;
  readonly broken?: BrokenStore;
  readonly place: Place;
  /** How often this process has to win. */
  readonly promotions: number;
  /** Versions that only this process promotes, so that it never finds another's promotion to be its own. */
  readonly versions: readonly [number, number];
}

/** A look by somebody who knows nothing yet, once in so many tries, and at the end: it lists and reads the whole log. */
const freshEvery = 25;

const { process: me, store: uri, broken, place, promotions, versions } = await processInput<Racing>();
const folder = await mkdtemp(join(tmpdir(), 'perennial-race-'));
const opened = await openStore(uri);
const store = broken === undefined ? opened : brokenStores[broken](opened, me);
const registry = await openAnew(store);
const history: Operation[] = [];
/** Everybody begins with what all have seen, so that all but one are refused. */
const firstExpected = championOf(await registry.entries(place));

process.once(
  'message',
  () =>
    void race()
      .finally(() => rm(folder, { recursive: true, force: true }))
      .then(() => process.disconnect()),
);
serviceReady('ready');

async function race(): Promise<void> {
  try {
    let won = 0;
    for (let tries = 0; won < promotions; tries++) {
      await look(tries % freshEvery === freshEvery - 1 ? await openAnew(store) : registry);
      if (await promote(`${me}.${tries}`, tries === 0 ? firstExpected : championOf(await registry.entries(place)))) won++;
    }
    await look(await openAnew(store));
  } catch (error) {
    const now = process.hrtime.bigint();
    history.push({ process: me, began: now, ended: now, did: { kind: 'failed', message: String(error) } });
  }
  process.send!(history);
}

async function openAnew(from: ObjectStore): Promise<Registry> {
  return openRegistry(from, await openBlobs(from, folder));
}

async function look(by: Registry): Promise<void> {
  const began = process.hrtime.bigint();
  await by.entries(place);
  record(began, { kind: 'read', ...seen(by) });
}

/** Whether this process won the entry that everybody wanted. */
async function promote(token: string, champion: number | null): Promise<boolean> {
  const version = versions.find((it) => it !== champion)!;
  const began = process.hrtime.bigint();
  try {
    const promotion = { version, expect: champion, verdict: 'better', reason: token } as const;
    const { n } = await registry.promote(place, promotion, { by: 'racer', run: { workflowId: 'race', runId: token } });
    record(began, { kind: 'appended', token, n });
    return true;
  } catch (error) {
    if (!(error instanceof MlError && error.code === 'ChampionChanged')) throw error;
    record(began, { kind: 'refused', token, expect: champion, ...seen(registry) });
    return false;
  }
}

/** Without a fold of all entries: a thousand times each from eight processes, that would be what is measured. */
function championOf(entries: readonly Entry[]): number | null {
  const last = entries.findLast(({ command }) => command.kind === 'promoted')?.command;
  return last?.kind === 'promoted' ? last.version : null;
}

function record(began: bigint, did: Operation['did']): void {
  history.push({ process: me, began, ended: process.hrtime.bigint(), did });
}

function seen(by: Registry): { readonly n: number; readonly sha256: string } {
  const { n, sha256 } = by.seen(place)!;
  return { n, sha256 };
}
