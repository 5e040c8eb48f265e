import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { Runtime, Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { createSteps } from '../activities/index.ts';
import type { Ports, Step } from '../activities/ports.ts';
import { connectionOf } from '../core/connection.ts';
import type { OpenLineageConfig } from '../core/config.ts';
import type { Connections } from '../core/connection.ts';
import { taskQueue } from '../core/ids.ts';
import { readSecret, type Security } from './config.ts';
import { openLineageIndex } from '../lineage/lineage-index.ts';
import { readApprovers } from '../registry/proof.ts';
import type { OpenLineageNames } from '../lineage/open-lineage.ts';
import { openRegistry } from '../registry/registry.ts';
import { openRunArchive } from '../registry/runs.ts';
import { openArtifactStore } from '../stores/artifact-store.ts';
import { openBlobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { openStore } from '../stores/open-store.ts';
import { readCodeDigests } from './code-digests.ts';
import { openCompute } from './compute.ts';
import { openHistories } from './histories.ts';
import { announcedRuns, announcedSteps } from './announced-steps.ts';
import { openOpenLineageSender } from './open-lineage-sender.ts';
import type { OpenLineageSender } from './open-lineage-sender.ts';
import { asActivities } from './step-adapter.ts';
import { openScratch } from './scratch.ts';
import { openSigner } from './signing.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

export interface WorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** The base of the task queues. */
  readonly taskQueue: string;
  /** URI of the object store. */
  readonly store: string;
  /** Caches, half-downloaded sources, scratch files: all of it may be deleted while no worker runs. */
  readonly workFolder: string;
  readonly connections: Connections;
  /** Keys by reference; they are read when the worker starts, so that one that is missing does not end a long training. */
  readonly security?: Security;
  /** Where lineage events go. Default: nowhere. */
  readonly openLineage?: OpenLineageConfig;
  /** Modules of users' own workflows. */
  readonly workflowModules?: readonly string[];
  /** How many trainings run at the same time. Default: one per core. */
  readonly computeSlots?: number;
  /** Lets a test stand between the worker and its store and steps, to disturb or end it there. */
  readonly around?: Around;
}

export interface Around {
  store(store: ObjectStore): ObjectStore;
  step(name: string, step: Step<never, unknown>): Step<never, unknown>;
}

export interface RunningWorker {
  /** Resolves when the worker has stopped; rejects if it failed. */
  readonly done: Promise<void>;
  /** Process ids of the compute children that live now. */
  readonly computePids: () => readonly number[];
  stop(): Promise<void>;
}

/** Starts the workers of all roles in this process: one polls the control queue and runs workflows, one the compute queue. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const slots = options.computeSlots ?? availableParallelism();
  const compute = openCompute(slots);
  const client = new Client({ connection: options.connection, namespace: options.namespace });
  const sender = options.openLineage && openOpenLineageSender(options.openLineage, readSecret, Runtime.instance().logger);
  const ports = await openPorts(options, client, compute, sender);
  const scratch = await openScratch(join(options.workFolder, 'scratch'));
  const activities = asActivities(stepsOf(ports, options, sender), scratch.folder);
  const bundle = await bundleWorkflows(options.workflowModules ?? [], join(options.workFolder, 'bundle'));

  const workers = await Promise.all([
    Worker.create({
      ...shared(options),
      taskQueue: taskQueue(options.taskQueue, 'control'),
      workflowBundle: bundle,
      activities,
      workflowFailureErrorTypes: { '*': ['Error'] },
      maxConcurrentActivityTaskExecutions: 50,
    }),
    Worker.create({
      ...shared(options),
      taskQueue: taskQueue(options.taskQueue, 'compute'),
      activities,
      maxConcurrentActivityTaskExecutions: slots,
    }),
  ]);
  const done = Promise.all(workers.map((worker) => worker.run()))
    .then(() => compute.close())
    .finally(scratch.close)
    .finally(() => sender?.close());
  // Whoever starts a worker hears of its failure through `done`; until they listen it must not be an unhandled rejection.
  done.catch(() => {});
  return {
    done,
    computePids: compute.pids,
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await done;
    },
  };
}

const eventNames = ({ namespace, store }: WorkerOptions): OpenLineageNames => ({ namespace, store });

function stepsOf(ports: Ports, options: WorkerOptions, sender: OpenLineageSender | undefined): Readonly<Record<string, Step<never, unknown>>> {
  const own: Readonly<Record<string, Step<never, unknown>>> = createSteps(ports);
  const steps = sender === undefined ? own : announcedSteps(own, sender, eventNames(options));
  const { around } = options;
  if (around === undefined) return steps;
  return Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, around.step(name, step)]));
}

function shared({ connection, namespace }: WorkerOptions) {
  return {
    connection,
    namespace,
    // Cancellation reaches a step within a second, not within 23.
    maxHeartbeatThrottleInterval: '1s',
    // After a kill the next worker task comes a second late, not ten.
    stickyQueueScheduleToStartTimeout: '1s',
    shutdownGraceTime: '1s',
    shutdownForceTime: '15s',
  } as const;
}

async function openPorts(options: WorkerOptions, client: Client, compute: Ports['compute'], sender: OpenLineageSender | undefined): Promise<Ports> {
  const opened = await openStore(options.store);
  const store = options.around?.store(opened) ?? opened;
  const blobs = await openBlobs(store, join(options.workFolder, 'blobs'));
  const signer = await openSigner(store, blobs, options.security?.signing);
  const registry = openRegistry(store, blobs, signer);
  const runs = openRunArchive(store, blobs, signer);
  const approvers = await readApprovers(options.security?.approvers);
  return {
    store,
    blobs,
    artifacts: openArtifactStore(store, blobs),
    registry,
    runs: sender === undefined ? runs : announcedRuns(runs, sender, eventNames(options)),
    lineage: openLineageIndex({ store, blobs, registry, folder: join(options.workFolder, 'lineage') }),
    histories: openHistories(client, options.taskQueue),
    ...(approvers && { approvers }),
    compute,
    connection: (from) => connectionOf(options.connections, from),
    readSecret,
    codeDigest: readCodeDigests().of,
    resumeFolder: join(options.workFolder, 'resume'),
  };
}
