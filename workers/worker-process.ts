import { NativeConnection, Runtime } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { watchOwner } from './child-process/owner-watch.ts';
import { compactLogger } from './log.ts';
import { processInput, serviceReady } from './process-service.ts';
import { startWorker } from './worker.ts';
import type { WorkerOptions } from './worker.ts';

/** The input of this entry: a worker's options, with the way to the server instead of a connection to it. */
export interface WorkerProcessOptions extends Omit<WorkerOptions, 'connection' | 'around'> {
  readonly temporal: NativeConnectionOptions;
}

watchOwner();
const { temporal, ...options } = await processInput<WorkerProcessOptions>();
// Signals are the supervisor's business: with the SDK's own handler a pending call would hang the process.
Runtime.install({ shutdownSignals: [], logger: compactLogger('WARN'), telemetryOptions: { logging: { forward: {}, filter: 'WARN' } } });
const connection = await NativeConnection.connect(temporal);
const worker = await startWorker({ ...options, connection });
process.once('SIGTERM', () => void worker.stop());
serviceReady({ pid: process.pid });
await worker.done;
await connection.close();
process.exit(0);
