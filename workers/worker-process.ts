import { NativeConnection, Runtime } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { watchOwner } from './child-process/owner-watch.ts';
import { compactLogger, jsonLogger } from './log.ts';
import { startProbes } from './probes.ts';
import type { ProbeOptions } from './probes.ts';
import { processInput, serviceReady } from './process-service.ts';
import { ensureSearchAttributes } from './temporal-namespace.ts';
import { startWorker } from './worker.ts';
import type { WorkerOptions } from './worker.ts';

/** The input of this entry: a worker's options, with the way to the server instead of a connection to it. */
export interface WorkerProcessOptions extends Omit<WorkerOptions, 'connection' | 'around'> {
  readonly temporal: NativeConnectionOptions;
  /** Where the namespace is not known to be ready: search attributes are registered before the worker starts. */
  readonly prepareNamespace?: boolean;
  /** Where to answer probes. Default: nowhere. */
  readonly probes?: ProbeOptions;
  /** Default: `compact`, for people. */
  readonly logs?: 'compact' | 'json';
}

watchOwner();
const { temporal, prepareNamespace, probes, logs, ...options } = await processInput<WorkerProcessOptions>();
const logger = logs === 'json' ? jsonLogger('INFO') : compactLogger('WARN');
// Signals are the supervisor's business: with the SDK's own handler a pending call would hang the process.
Runtime.install({ shutdownSignals: [], logger, telemetryOptions: { logging: { forward: {}, filter: 'WARN' } } });
const answering = probes && (await startProbes(probes));
const connection = await NativeConnection.connect(temporal);
if (prepareNamespace) await ensureSearchAttributes(connection, options.namespace);
const worker = await startWorker({ ...options, connection });
answering?.watch(worker);
process.once('SIGTERM', () => void worker.stop());
serviceReady({ pid: process.pid, queues: worker.queues, ...(worker.buildId && { build: worker.buildId }) });
await worker.done;
await answering?.close();
await connection.close();
process.exit(0);
