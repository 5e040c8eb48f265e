import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PerennialClient } from '../../client/index.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { openRunArchive, type RunArchive } from '../../registry/runs.ts';
import { type Blobs, openBlobs } from '../../stores/blobs.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { compiled } from '../../workers/compiled.ts';
import { freePort } from '../../workers/ports.ts';
import { processService } from '../../workers/process-service.ts';
import type { ServingOptions } from '../../workers/serving.ts';
import { bundleWorkflows } from '../../workers/workflow-bundle.ts';
import { startTemporalServer } from '../../workers/temporal-server.ts';
import { temporalBinary } from '../support/temporal.ts';
import type { ChaosWorkerOptions } from './chaos-worker-process.ts';
import { type Chain, writeInputs } from './inputs.ts';
import { keep, type Kept } from './keep.ts';
import type { Arming } from './points.ts';
import type { TestStore } from './test-stores.ts';

/** Everything real, each part kept up: a Temporal server with its database in a file, a worker process with its children, a prediction server. */
export interface Plant {
  readonly folder: string;
  readonly client: PerennialClient;
  readonly store: ObjectStore;
  readonly blobs: Blobs;
  readonly registry: Registry;
  readonly runs: RunArchive;
  readonly serving: { readonly url: string; readonly kept: Kept };
  readonly worker: Kept;
  /** Points that workers noted, oldest first. */
  journal(): readonly string[];
  /** Stops all parts in order. */
  stop(): Promise<void>;
  /** Stops what runs still, and removes all that is not the store's. */
  close(): Promise<void>;
}

export interface PlantOptions {
  readonly store: TestStore;
  readonly plan: readonly Chain[];
  /** Asked at each start of a worker, with the file and what it holds. */
  readonly arm: (journal: string, noted: readonly string[]) => Arming;
  readonly onDown?: (name: string, why: string) => void;
}

export async function openPlant({ store: { uri }, plan, arm, onDown }: PlantOptions): Promise<Plant> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-chaos-'));
  const journal = join(folder, 'journal');
  const catalogue = join(folder, 'catalogue');
  await mkdir(catalogue);
  await writeInputs(catalogue, plan);

  const binary = await temporalBinary();
  const [port, servingPort] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${port}`;
  const temporal = await keep(
    {
      name: 'temporal',
      async start(signal) {
        const server = await startTemporalServer({ binary, port, dataFolder: join(folder, 'temporal'), ui: false, signal });
        return { ended: server.exited, stop: server.stop };
      },
    },
    onDown,
  );

  const workFolder = join(folder, 'work');
  const workflowBundle = await bundleWorkflows([], join(folder, 'bundle'));
  const worker = await keep(
    {
      name: 'worker',
      start: (signal) =>
        processService({
          name: 'worker',
          entry: compiled('test/chaos/chaos-worker-process'),
          input: {
            temporal: { address },
            namespace: 'default',
            taskQueue: 'perennial',
            store: uri,
            workFolder,
            workflowBundle,
            computeSlots: 2,
            connections: { catalogue: { kind: 'folder', path: catalogue } },
            arming: arm(journal, linesOf(journal)),
          } satisfies ChaosWorkerOptions,
        }).start(signal),
    },
    onDown,
  );
  const serving = await keep(
    processService({
      name: 'prediction server',
      entry: compiled('workers/serving-process'),
      input: { store: uri, workFolder, featuresFolder: join(folder, 'features'), port: servingPort } satisfies ServingOptions,
    }),
    onDown,
  );

  const stop = async (): Promise<void> => {
    for (const each of [serving, worker, temporal]) await each.stop();
  };
  const client = await connect({ address });
  const store = await openStore(uri);
  const blobs = await openBlobs(store, join(folder, 'blobs'));
  return {
    ...{ folder, client, store, blobs, worker },
    registry: openRegistry(store, blobs),
    runs: openRunArchive(store, blobs),
    serving: { url: `http://127.0.0.1:${servingPort}`, kept: serving },
    journal: () => linesOf(journal),
    stop,
    async close() {
      await stop();
      await client.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function linesOf(journal: string): readonly string[] {
  try {
    return readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
