import { join } from 'node:path';
import { connect, keepSweeping } from '../client/index.ts';
import { encryptionCodec } from '../client/encryption.ts';
import { startCodecServer } from './codec-server.ts';
import { cipherOf } from './encryption.ts';
import { freePort } from './ports.ts';
import { compiled } from './compiled.ts';
import type { Settings } from './config.ts';
import { processService } from './process-service.ts';
import type { Project } from './project.ts';
import { typescriptArgv } from './register-typescript.ts';
import { removeRunning, writeRunning } from './running.ts';
import type { Running } from './running.ts';
import type { ServingOptions } from './serving.ts';
import type { Service } from './supervisor.ts';
import { findTemporalCli } from './temporal-cli.ts';
import { startTemporalServer, useTemporalServer } from './temporal-server.ts';
import type { TemporalServer } from './temporal-server.ts';
import type { WorkerProcessOptions } from './worker-process.ts';
import { workerSettings } from './worker-settings.ts';

export interface DevServices {
  /** In the order in which they start: Temporal, worker, the schedule of lineage sweeps, prediction server with its page, and a note about where they are. */
  readonly services: readonly Service[];
  /** Where everything is; once all have started. */
  links(): Running;
}

export interface DevOptions {
  readonly onProgress?: (line: string) => void;
  /** Whether the Temporal web UI is there. Default yes. */
  readonly ui?: boolean;
  readonly computeSlots?: number;
}

/** Everything that a laptop needs, as a list of services. A killed worker or prediction server is started again, and nothing is lost by it. */
export function devServices(settings: Settings, project: Project, { onProgress = () => {}, ui = true, computeSlots }: DevOptions = {}): DevServices {
  let temporal: TemporalServer | undefined;
  let page: string | undefined;
  const workFolder = join(settings.home, 'work');

  const links = (): Running => ({
    pid: process.pid,
    temporal: {
      address: temporal!.address,
      namespace: settings.temporal.namespace,
      ...(temporal!.uiUrl !== undefined && { uiUrl: temporal!.uiUrl }),
    },
    ...(page !== undefined && { page }),
    store: settings.store,
    home: settings.home,
  });

  const temporalService: Service = {
    name: 'temporal',
    async start(signal) {
      temporal = await (settings.temporal.given === undefined
        ? startOwn(signal)
        : useTemporalServer(settings.temporal.given, settings.temporal.namespace));
      return { ended: temporal.exited, stop: temporal.stop };
    },
  };

  const { encryption } = settings.security;
  let codecPort: number | undefined;
  const codec: Service = {
    name: 'codec server',
    async start() {
      const cipher = (await cipherOf(settings.security))!;
      const { port } = new URL(temporal!.uiUrl!);
      const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
      const server = await startCodecServer({ codec: encryptionCodec(cipher), origins, port: codecPort! });
      return { ended: new Promise(() => {}), stop: server.close };
    },
  };

  async function startOwn(signal: AbortSignal): Promise<TemporalServer> {
    const { cli, dataFolder, port, uiPort, namespace } = settings.temporal;
    const binary = await findTemporalCli({ ...cli, onProgress, signal });
    // The web UI is told where its codec server will be; that one has to know where the web UI is.
    if (encryption && ui) codecPort = await freePort();
    return startTemporalServer({
      ...(codecPort !== undefined && { codecEndpoint: `http://127.0.0.1:${codecPort}` }),
      binary,
      dataFolder,
      namespace,
      ui,
      signal,
      ...(port !== undefined && { port }),
      ...(uiPort !== undefined && { uiPort }),
    });
  }

  /** The options of a process are known only when the services before it run. */
  const later = (name: string, service: () => Service): Service => ({ name, restart: 'on-failure', start: (signal) => service().start(signal) });

  const worker = later('worker', () =>
    processService({
      name: 'worker',
      entry: compiled('workers/worker-process'),
      execArgv: typescriptArgv,
      input: {
        ...workerSettings(settings, project),
        temporal: settings.temporal.given ?? { address: temporal!.address },
        ...(computeSlots !== undefined && { computeSlots }),
      } satisfies WorkerProcessOptions,
    }),
  );

  const serving = later('prediction server', () =>
    processService({
      name: 'prediction server',
      entry: compiled('workers/serving-process'),
      input: {
        store: settings.store,
        workFolder,
        featuresFolder: join(settings.home, 'features'),
        ...(settings.security.signing && { signing: settings.security.signing }),
        // A restarted server keeps its address.
        ...portOf(page, settings.port),
        ...(temporal!.uiUrl !== undefined && { ui: { url: temporal!.uiUrl, namespace: settings.temporal.namespace } }),
      } satisfies ServingOptions,
      onReady: (facts) => (page = (facts as { readonly url: string }).url),
    }),
  );

  const sweeps: Service = {
    name: 'lineage sweeps',
    async start() {
      const { namespace, given } = settings.temporal;
      const cipher = await cipherOf(settings.security);
      const client = await connect({ ...(cipher && { cipher }), ...given, address: temporal!.address, namespace, taskQueue: settings.taskQueue });
      await keepSweeping(client.temporal, client.taskQueue).finally(() => client.close());
      // A schedule is Temporal's to keep: there is nothing here that ends or is to be stopped.
      return { ended: new Promise(() => {}), stop: async () => {} };
    },
  };

  const note: Service = {
    name: 'note',
    async start() {
      await writeRunning(settings.home, links());
      return { ended: new Promise(() => {}), stop: () => removeRunning(settings.home) };
    },
  };

  return {
    services: [temporalService, ...(encryption && ui && settings.temporal.given === undefined ? [codec] : []), worker, sweeps, serving, note],
    links,
  };
}

function portOf(page: string | undefined, configured: number | undefined): { readonly port?: number } {
  if (page !== undefined) return { port: Number(new URL(page).port) };
  return configured === undefined ? {} : { port: configured };
}
