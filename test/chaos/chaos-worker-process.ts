/** A worker like the product's own, which dies where it is told to. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import { watchOwner } from '../../workers/child-process/owner-watch.ts';
import { compactLogger } from '../../workers/log.ts';
import { processInput, serviceReady } from '../../workers/process-service.ts';
import type { WorkerProcessOptions } from '../../workers/worker-process.ts';
import { startWorker } from '../../workers/worker.ts';
import { type Arming, pointsAround, reachFor } from './points.ts';

export interface ChaosWorkerOptions extends WorkerProcessOptions {
  readonly arming: Arming;
}

watchOwner();
const { temporal, arming, ...options } = await processInput<ChaosWorkerOptions>();
// What a disturbed worker complains about is no news here.
Runtime.install({ shutdownSignals: [], logger: compactLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const connection = await NativeConnection.connect(temporal);
const worker = await startWorker({ ...options, connection, around: pointsAround(reachFor(arming)) });
process.once('SIGTERM', () => void worker.stop());
serviceReady({ pid: process.pid });
await worker.done;
await connection.close();
process.exit(0);
