import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../client/client.ts';
import type { PerennialClient } from '../../client/client.ts';
import type { Awaiting } from '../../client/index.ts';
import { canonical } from '../../core/canonical.ts';
import type { Approval } from '../../core/decision.ts';
import type { OpenLineageConfig } from '../../core/config.ts';
import type { ModelSpec, TrainEntry } from '../../core/model-spec.ts';
import { awaited, resolveVersion } from '../../core/registry.ts';
import { openRegistry } from '../../registry/registry.ts';
import type { Registry } from '../../registry/registry.ts';
import { openRunArchive } from '../../registry/runs.ts';
import type { RunArchive } from '../../registry/runs.ts';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';
import { startUserDataApi } from '../../simulation/user-data-api.ts';
import type { ApiFaults, UserDataApi } from '../../simulation/user-data-api.ts';
import { readMade, readUsed } from '../../stores/artifact-store.ts';
import { openBlobs } from '../../stores/blobs.ts';
import type { Blobs } from '../../stores/blobs.ts';
import { provenanceDigest } from '../../stores/digest.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { compiled } from '../../workers/compiled.ts';
import { processService } from '../../workers/process-service.ts';
import type { RunningService } from '../../workers/supervisor.ts';
import type { TemporalServer, TemporalServerOptions } from '../../workers/temporal-server.ts';
import type { WorkerProcessOptions } from '../../workers/worker-process.ts';
import { decideStart } from '../../workflows/decide-start.ts';
import { registered, verdict } from '../registry/samples.ts';
import { startTestTemporal } from '../support/temporal.ts';

export interface SystemOptions {
  readonly computeSlots?: number;
  readonly faults?: ApiFaults;
  readonly pageSize?: number;
  readonly temporal?: Partial<TemporalServerOptions>;
  /** URI of an empty store, instead of a folder. */
  readonly store?: string;
  readonly openLineage?: OpenLineageConfig;
  readonly approvers?: NonNullable<WorkerProcessOptions['security']>['approvers'];
  readonly signing?: NonNullable<WorkerProcessOptions['security']>['signing'];
  /** Folder of a simulated service that another system made. */
  readonly data?: string;
  /** What else the worker is told. */
  readonly worker?: Partial<WorkerProcessOptions>;
}

/** A worker in a process of its own, which a test may kill. */
export interface TestWorker {
  pid(): number;
  /** Processes that train or examine now. */
  children(): readonly number[];
  /** Kills the worker and its compute processes with -9, and waits until they are gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Everything real: Temporal server, worker process, folder store, user-data API, over a small simulated service. */
export interface TestSystem {
  readonly folder: string;
  readonly data: string;
  readonly storeUri: string;
  readonly store: ObjectStore;
  readonly blobs: Blobs;
  readonly registry: Registry;
  readonly runs: RunArchive;
  readonly api: UserDataApi;
  readonly temporal: TemporalServer;
  readonly client: PerennialClient;
  readonly worker: TestWorker;
  /** Another worker of the same project, in a process of its own; not started yet, and stopped with the rest. */
  another(options?: Partial<WorkerProcessOptions>): TestWorker;
  /** Makes a spec the one that `retrain` reads. */
  apply(spec: ModelSpec): Promise<void>;
  close(): Promise<void>;
}

/** 150 viewers and 120 films over fifteen months: about ten thousand ratings, a few seconds a training. */
const service = { users: 150, films: 120, from: '2024-01-01', to: '2025-04-01' } as const;

export async function startSystem(options: SystemOptions = {}): Promise<TestSystem> {
  const { computeSlots = 2, faults, pageSize } = options;
  const folder = await mkdtemp(join(tmpdir(), 'perennial-workflows-'));
  const data = options.data ?? join(folder, 'data');
  if (options.data === undefined) await simulateStreamingService(data, service);
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'secret');
  const api = await startUserDataApi({
    ratings: join(data, 'ratings.csv'),
    token: 'secret',
    ...(faults && { faults }),
    ...(pageSize !== undefined && { pageSize }),
  });
  const temporal = await startTestTemporal(options.temporal);
  const storeUri = options.store ?? join(folder, 'store');
  const workerOptions: WorkerProcessOptions = {
    temporal: { address: temporal.address },
    namespace: temporal.namespace,
    taskQueue: 'perennial',
    store: storeUri,
    workFolder: join(folder, 'work'),
    computeSlots,
    security: { ...(options.approvers && { approvers: options.approvers }), ...(options.signing && { signing: options.signing }) },
    ...(options.openLineage && { openLineage: options.openLineage }),
    connections: {
      catalogue: { kind: 'folder', path: data },
      'user-data-api': { kind: 'http', baseUrl: api.url, allowedHosts: [new URL(api.url).host], token: { file: tokenFile } },
    },
    ...options.worker,
  };
  const worker = testWorker(workerOptions);
  const others: TestWorker[] = [];
  await worker.start();
  const client = await connect({ address: temporal.address, namespace: temporal.namespace });
  const store = await openStore(storeUri);
  const blobs = await openBlobs(store, join(folder, 'blobs'));
  const registry = openRegistry(store, blobs);
  const runs = openRunArchive(store, blobs);
  return {
    ...{ folder, data, storeUri, store, blobs, registry, runs, api, temporal, client, worker },
    another(changes) {
      const other = testWorker({ ...workerOptions, workFolder: join(folder, `work-${others.length + 2}`), ...changes });
      others.push(other);
      return other;
    },
    async apply(spec) {
      const blob = await blobs.putBytes(Buffer.from(canonical(spec)));
      await registry.apply(spec.name, { kind: 'spec', ...blob, mediaType: 'application/json' }, { by: 'test', run: null });
    },
    async close() {
      await client.close();
      await Promise.all([worker, ...others].map((each) => each.stop()));
      await Promise.all([temporal.stop(), api.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function testWorker(options: WorkerProcessOptions): TestWorker {
  let running: RunningService | undefined;
  let pid = 0;
  const service = processService({
    name: 'worker',
    entry: compiled('workers/worker-process'),
    input: options,
    onReady: (facts) => (pid = (facts as { readonly pid: number }).pid),
  });
  const children = () => processesBelow(pid);
  return {
    pid: () => pid,
    children,
    async kill() {
      const doomed = [...children(), pid];
      for (const each of doomed) process.kill(each, 'SIGKILL');
      await running?.ended.catch(() => {});
      running = undefined;
    },
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async start() {
      running = await service.start(new AbortController().signal);
    },
  };
}

/** Children of a process that are compute processes. */
export function processesBelow(parent: number): readonly number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, owner, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(owner) === parent && args!.includes('compute-process') ? [Number(pid)] : [];
  });
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Trains in a second or so. */
export const ease = { trainer: 'ease', with: { l2: 100 } } as const satisfies TrainEntry;

/** Trains for as many seconds as one asks for, more or less: seconds go by the million of comparisons. */
export const slow = (negatives: number, epochs = 8) => ({ trainer: 'bpr', with: { factors: 64, negatives, epochs } }) as const satisfies TrainEntry;

/** A recommender over the simulated service that is easy to please: any model that beats chance is promoted. */
export function recommender(name: string, changes: Partial<ModelSpec<'recommendation'>> = {}): ModelSpec<'recommendation'> {
  return {
    format: 1,
    name,
    task: 'recommendation',
    sources: {
      movies: { from: 'catalogue:/movies.csv', read: 'csv', key: ['movieId'], columns: { movieId: 'key', title: 'text', genres: 'text' } },
      ratings: {
        from: 'user-data-api:/v1/ratings',
        read: 'json-pages',
        key: ['userId', 'movieId'],
        time: 'ratedAt',
        columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' },
      },
    },
    contract: [{ check: 'range', of: 'ratings.rating', min: 0.5, max: 5 }],
    rows: {
      sql: 'SELECT userId, movieId, rating, ratedAt FROM ratings SEMI JOIN movies USING (movieId)',
      key: ['userId', 'movieId'],
      time: 'ratedAt',
    },
    target: {
      user: 'userId',
      item: 'movieId',
      value: 'rating',
      relevantFrom: 3.5,
      describe: { source: 'movies', title: 'title', categories: 'genres' },
    },
    split: { by: 'last-per', column: 'userId', validation: 2, test: 2 },
    train: [ease],
    gate: { metric: 'ndcg@10', baselines: ['random'], champion: { rule: 'not-worse', margin: 0.9 } },
    ...changes,
  } as ModelSpec<'recommendation'>;
}

/** Looks again every few milliseconds until there is something to see. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false, withinMs = 60_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Types of the activities that a run waits for now. */
export async function pending(client: PerennialClient, workflowId: string): Promise<readonly string[]> {
  const { raw } = await client.temporal.workflow.getHandle(workflowId).describe();
  return (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name ?? '');
}

/** Which steps made something in a run, and which got theirs from the cache. Sorted, each once. */
export async function workOf({ store }: TestSystem, runId: string): Promise<{ readonly made: readonly string[]; readonly used: readonly string[] }> {
  const records = await readMade(store);
  const steps = new Map(records.map(({ provenance }) => [provenanceDigest(provenance), provenance.step]));
  const used = await readUsed(store, runId);
  const sorted = (names: readonly string[]) => [...new Set(names)].toSorted();
  return {
    made: sorted(records.filter(({ by }) => by.runId === runId).map(({ provenance }) => provenance.step)),
    used: sorted(used.map(({ provenance }) => steps.get(provenance)!)),
  };
}

/** Kinds of a segment's registry entries, oldest first. */
export async function commands({ registry }: TestSystem, model: string, segment = 'all'): Promise<readonly string[]> {
  return (await registry.entries({ model, segment })).map(({ command }) => command.kind);
}

/** A challenger that was made elsewhere, judged, and now awaits a decision; its run waits with it. */
export async function challenger({ registry, client }: TestSystem, model: string, approval: Approval): Promise<Awaiting> {
  const place = { model, segment: 'all' };
  const author = { by: 'test', run: null };
  const { versions, champion } = await registry.state(place);
  const { version } = await registry.register(place, registered(`${model} ${versions.length + 1}`), author);
  await registry.judged(place, { version, verdict: verdict('better'), against: champion, approval }, author);
  const state = await registry.state(place);
  const awaiting = awaited(state, resolveVersion(state, version)!);
  await client.temporal.workflow.start('decide', { ...decideStart(awaiting), taskQueue: 'perennial' });
  return awaiting;
}
