import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { Runtime, Worker } from '@temporalio/worker';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import { clientConverter } from '../client/encryption.ts';
import { createSteps } from '../activities/index.ts';
import type { Ports, Step } from '../activities/ports.ts';
import { connectionOf } from '../core/connection.ts';
import type { OpenLineageConfig, WorkerConfig } from '../core/config.ts';
import type { Connections } from '../core/connection.ts';
import { taskQueue } from '../core/ids.ts';
import type { PythonSettings } from '../core/train-script.ts';
import { pythonSettings, readSecret, type Security } from './config.ts';
import { openLineageIndex } from '../lineage/lineage-index.ts';
import { readApprovers } from '../registry/proof.ts';
import type { OpenLineageNames } from '../lineage/open-lineage.ts';
import { openRegistry } from '../registry/registry.ts';
import { openRunArchive } from '../registry/runs.ts';
import { openArtifactStore } from '../stores/artifact-store.ts';
import { openBlobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import type { Cipher } from '../core/cipher.ts';
import { readCodeDigests } from './code-digests.ts';
import { openCompute } from './compute.ts';
import { buildIdOf, makeCurrent } from './deployment.ts';
import { openHistories } from './histories.ts';
import { cipherOf } from './encryption.ts';
import { announcedRuns, announcedSteps } from './announced-steps.ts';
import { openOpenLineageSender } from './open-lineage-sender.ts';
import type { OpenLineageSender } from './open-lineage-sender.ts';
import { asActivities } from './step-adapter.ts';
import { loadOwnSteps } from './own-steps.ts';
import { openTrainScripts } from './python/train-scripts.ts';
import { openScratch } from './scratch.ts';
import { openSigner } from './signing.ts';
import { allRoles, slotsOf } from './slots.ts';
import { openTrustedStore } from './trusted-store.ts';
import { bundleWorkflows, workerConverter } from './workflow-bundle.ts';

/** What a worker needs: a connection, a store, a folder to work in. */
export interface WorkerOptions extends WorkerConfig {
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
  /** Modules of users' own steps. */
  readonly stepModules?: readonly string[];
  /** Files of users' own training scripts, `<name>.train.py`. */
  readonly trainScripts?: readonly string[];
  /** Where Python is looked for. Default: the PATH, and the user's cache folder. */
  readonly python?: PythonSettings;
  /** With a `deployment`: new runs go to this build from now on, though another one is current. */
  readonly makeCurrent?: boolean;
  /** Made before by `bundleWorkflows`, for workers that start often: it costs two seconds. Default: made now. */
  readonly workflowBundle?: WorkflowBundle;
  /** Lets a test stand between the worker and its store and steps, to disturb or end it there. */
  readonly around?: Around;
}

export interface Around {
  store(store: ObjectStore): ObjectStore;
  step(name: string, step: Step<never, unknown>): Step<never, unknown>;
}

/** A worker that has begun to take work. */
export interface RunningWorker {
  /** Resolves when the worker has stopped; rejects if it failed. */
  readonly done: Promise<void>;
  /** The task queues that it polls. */
  readonly queues: readonly string[];
  /** Whether all its roles poll. */
  readonly takesWork: () => boolean;
  /** With a `deployment`: the build that this worker is of. */
  readonly buildId?: string;
  /** Process ids of the compute children that live now. */
  readonly computePids: () => readonly number[];
  /** Takes no more work, hands back what is not done, and resolves when all has ended. */
  stop(): Promise<void>;
}

/** Starts a worker of each role in this process. Each polls the queue of its role; that of the control role runs the workflows, too. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { roles = allRoles, workflowModules = [], stepModules = [], deployment } = options;
  const trainings = roles.filter((role) => role !== 'control').reduce((sum, role) => sum + slotsOf(role, options), 0);
  const compute = openCompute(trainings);
  const cipher = await cipherOf(options.security ?? {});
  const client = new Client({ connection: options.connection, namespace: options.namespace, dataConverter: clientConverter(cipher) });
  const sender = options.openLineage && openOpenLineageSender(options.openLineage, readSecret, Runtime.instance().logger);
  const ports = await openPorts(options, { client, compute, sender, cipher });
  const scratch = await openScratch(join(options.workFolder, 'scratch'));
  const activities = asActivities(await stepsOf(ports, stepModules, options, sender), scratch.folder);
  // The name of a build has the workflows in it, also where none is run.
  const isBundled = roles.includes('control') || deployment !== undefined;
  const bundled = () =>
    options.workflowBundle ?? bundleWorkflows(workflowModules, join(options.workFolder, 'bundle'), { encrypted: cipher !== undefined });
  const bundle = isBundled ? await bundled() : undefined;
  const version = deployment && bundle && { deploymentName: deployment, buildId: await buildIdOf(bundle.code, stepModules) };

  const workers = await Promise.all(
    roles.map((role) =>
      Worker.create({
        ...shared(options),
        dataConverter: workerConverter(cipher),
        taskQueue: taskQueue(options.taskQueue, role),
        activities,
        maxConcurrentActivityTaskExecutions: slotsOf(role, options),
        ...(role === 'control' && bundle && { workflowBundle: bundle, workflowFailureErrorTypes: { '*': ['Error'] } }),
        // A run stays with the build that started it, unless its workflow says that it waits for long.
        ...(version && { workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' } }),
      }),
    ),
  );
  const shutDown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // One role that fails ends the others, and nothing is taken from under those that still work.
  const running = workers.map((worker) => worker.run().finally(shutDown));
  const done = Promise.allSettled(running)
    .then(() => compute.close())
    .finally(scratch.close)
    .finally(() => sender?.close())
    .then(() => Promise.all(running))
    .then(() => {});
  // Whoever starts a worker hears of its failure through `done`; until they listen it must not be an unhandled rejection.
  done.catch(() => {});
  if (version) {
    await makeCurrent(client, version, options.makeCurrent ?? false).catch(async (error: unknown) => {
      shutDown();
      await done.catch(() => {});
      throw error;
    });
  }
  return {
    done,
    queues: roles.map((role) => taskQueue(options.taskQueue, role)),
    takesWork: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    ...(version && { buildId: version.buildId }),
    computePids: compute.pids,
    async stop() {
      shutDown();
      await done;
    },
  };
}

const eventNames = ({ namespace, store, security }: WorkerOptions): OpenLineageNames => ({
  namespace,
  store,
  codesOnly: security?.encryption !== undefined,
});

async function stepsOf(
  ports: Ports,
  stepModules: readonly string[],
  options: WorkerOptions,
  sender: OpenLineageSender | undefined,
): Promise<Readonly<Record<string, Step<never, unknown>>>> {
  const ours = createSteps(ports);
  const all = { ...ours, ...(await loadOwnSteps(stepModules, Object.keys(ours))) };
  const steps = sender === undefined ? all : announcedSteps(all, sender, eventNames(options));
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

interface Opened {
  readonly client: Client;
  readonly compute: Ports['compute'];
  readonly sender: OpenLineageSender | undefined;
  readonly cipher: Cipher | undefined;
}

async function openPorts(options: WorkerOptions, { client, compute, sender, cipher }: Opened): Promise<Ports> {
  const opened = await openTrustedStore(options.store);
  const store = options.around?.store(opened) ?? opened;
  const blobs = await openBlobs(store, join(options.workFolder, 'blobs'));
  const signer = await openSigner(store, blobs, options.security?.signing);
  const registry = openRegistry(store, blobs, signer);
  const runs = openRunArchive(store, blobs, signer, cipher);
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
    trainScript: openTrainScripts(options.trainScripts ?? [], options.python ?? pythonSettings()),
    resumeFolder: join(options.workFolder, 'resume'),
  };
}
