import fastify from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { expectFree } from './ports.ts';
import type { RunningWorker } from './worker.ts';

export interface ProbeOptions {
  readonly port: number;
  readonly host: string;
}

export interface Probes {
  /** The worker that they tell about from now on. */
  watch(worker: RunningWorker): void;
  close(): Promise<void>;
}

/**
 * Answers whoever starts and watches containers. It is live as soon as the process is, and ready when the worker takes work.
 *
 * @throws {MlError} `PortTaken`
 */
export async function startProbes({ port, host }: ProbeOptions): Promise<Probes> {
  await expectFree(port, "the worker's probes", '--port', host);
  let worker: RunningWorker | undefined;
  const register = new Registry();
  collectDefaultMetrics({ register });
  new Gauge({
    name: 'perennial_worker_compute_processes',
    help: 'Processes that train or examine, or wait to.',
    registers: [register],
    collect() {
      this.set(worker?.computePids().length ?? 0);
    },
  });
  const app = fastify();
  app.get('/v1/health/live', () => ({ live: true }));
  app.get('/v1/health/ready', (_, reply) => {
    const ready = worker?.takesWork() ?? false;
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()));
  await app.listen({ port, host });
  return { watch: (started) => void (worker = started), close: () => app.close() };
}
