import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../../core/registry-entry.ts';
import { openRegistry, type Place } from '../../registry/registry.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf, readObjects } from '../../stores/read-object.ts';
import { unseal } from '../../stores/sealed.ts';
import { compiled } from '../../workers/compiled.ts';
import { registered } from '../registry/samples.ts';
import type { BrokenStore } from './broken-stores.ts';
import { type Operation, type Standing, violations } from './log-model.ts';
import type { Racing } from './race-child.ts';

export interface Race {
  readonly store: string;
  readonly promotions: number;
  readonly processes: number;
  /** What is wrong with the store, as the racers see it. */
  readonly broken?: BrokenStore;
}

export interface RaceReport {
  readonly processes: number;
  readonly promoted: number;
  readonly refused: number;
  readonly reads: number;
  readonly seconds: number;
  readonly promotionsPerSecond: number;
  readonly violations: readonly string[];
}

const place: Place = { model: 'raced', segment: 'all' };

/** Lets processes race to promote versions of one segment, and holds what they saw against the log that they left. */
export async function race({ store: uri, promotions, processes, broken }: Race): Promise<RaceReport> {
  const store = await openStore(uri);
  await registerVersions(uri, 2 * processes);
  const share = (at: number): number => Math.floor(promotions / processes) + (at < promotions % processes ? 1 : 0);
  const racers = await Promise.all(
    Array.from({ length: processes }, (_, at) =>
      startRacer({
        ...{ process: at + 1, store: uri, place, promotions: share(at), versions: [2 * at + 1, 2 * at + 2] as const },
        ...(broken && { broken }),
      }),
    ),
  );
  const began = performance.now();
  const history = (await Promise.all(racers.map((go) => go()))).flat();
  const seconds = (performance.now() - began) / 1000;

  const prefix = `models/${place.model}/${place.segment}/log/`;
  const bodies = await readObjects(store, await keysOf(store, prefix));
  const log = bodies.map((body) => standing(body!));
  const count = (kind: Operation['did']['kind']): number => history.filter(({ did }) => did.kind === kind).length;
  return {
    processes,
    promoted: log.filter(({ token }) => token !== null).length,
    refused: count('refused'),
    reads: count('read'),
    seconds,
    promotionsPerSecond: promotions / seconds,
    violations: violations(log, history),
  };
}

async function registerVersions(uri: string, count: number): Promise<void> {
  const store = await openStore(uri);
  const folder = await mkdtemp(join(tmpdir(), 'perennial-race-'));
  const registry = openRegistry(store, await openBlobs(store, folder));
  for (let version = 1; version <= count; version++) await registry.register(place, registered(`v${version}`), { by: 'racer', run: null });
  await rm(folder, { recursive: true, force: true });
}

/** What starts the racer, which is up and waits. Resolves with what it saw. */
async function startRacer(racing: Racing): Promise<() => Promise<readonly Operation[]>> {
  const child = fork(compiled('test/chaos/race-child'), [], {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`racer ${racing.process} ended with ${code ?? signal}`)));
  ended.catch(() => {});
  const message = (): Promise<readonly [unknown]> => Promise.race([once(child, 'message') as Promise<[unknown]>, ended]);
  const ready = message();
  child.send(racing);
  await ready;
  return async () => {
    const seen = message();
    child.send('go');
    const [history] = await seen;
    // A broken driver may still be writing.
    await ended.catch(() => {});
    return history as readonly Operation[];
  };
}

function standing(body: Uint8Array): Standing {
  const { n, previous, run, command } = unseal<Entry>(body)!;
  const set = command.kind === 'promoted' && { value: command.version, expect: command.expect };
  return { n, sha256: sha256(body), previous, token: set ? run!.runId : null, ...(set && { set }) };
}
