import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { MlError } from '../core/errors.ts';
import { portSettings } from './expect-room.ts';
import { makeFolder } from '../stores/make-folder.ts';
import { type PidLock, tryLock } from '../stores/pid-lock.ts';
import { type Lifeline, startWithLifeline } from './lifeline.ts';
import { expectFree, freePort, listens } from './ports.ts';
import { ensureRetention, ensureSearchAttributes, searchAttributes } from './temporal-namespace.ts';

export interface TemporalServerOptions {
  /** The `temporal` binary: see `findTemporalCli`. */
  readonly binary: string;
  /** Folder of the database, so that state survives a restart. Without it all is in memory. */
  readonly dataFolder?: string;
  /** A free port when not given, as for `uiPort`. */
  readonly port?: number;
  readonly uiPort?: number;
  readonly namespace?: string;
  /** Where the web interface has payloads decrypted. */
  readonly codecEndpoint?: string;
  /** Lets tests and unattended runs do without the web interface. */
  readonly ui?: boolean;
  /** More of the server's own settings, as `name=value`. */
  readonly dynamicConfig?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  /** Ends when the server does; to be told of a crash. */
  readonly exited: Promise<number>;
  stop(): Promise<void>;
}

/** The development server polls its queues slowly and rounds timers up to a second; with these a step costs 15 ms, not 100. */
const settings = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxTimeShift="10ms"',
  'system.enableActivityEagerExecution=true',
];
const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];
const readyMs = 60_000;
const stopMs = 5000;

/**
 * Starts a development server that dies with this process, and returns when it is ready for a worker: search attributes registered, closed runs
 * kept for a month.
 * @throws {MlError} `PortTaken`; `TemporalUnavailable` when it does not start, or when another one has the data folder.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dataFolder, namespace = 'default', ui = true, codecEndpoint, dynamicConfig = [], signal } = options;
  const port = options.port === undefined ? await freePort() : await expectFree(options.port, ...portSettings.temporal);
  const uiPort = options.uiPort === undefined ? await freePort() : await expectFree(options.uiPort, ...portSettings.temporalUi);
  const dataLock = dataFolder === undefined ? undefined : await lockData(dataFolder);
  const args = [
    'server',
    'start-dev',
    ...['--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace, '--log-level', 'error', '--log-format', 'json'],
    ...(ui ? ['--ui-port', String(uiPort)] : ['--headless']),
    ...(ui && codecEndpoint !== undefined ? ['--ui-codec-endpoint', codecEndpoint] : []),
    ...(dataFolder === undefined ? [] : ['--db-filename', join(dataFolder, 'temporal.db')]),
    ...(dataFolder === undefined ? [] : pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma])),
    ...[...settings, ...dynamicConfig].flatMap((setting) => ['--dynamic-config-value', setting]),
    ...searchAttributes.flatMap(({ name, written }) => ['--search-attribute', `${name}=${written}`]),
  ];
  const process = startWithLifeline(options.binary, args, {
    // There is nothing to close in order where nothing is kept.
    graceMs: dataFolder === undefined ? 0 : stopMs,
  });
  await dataLock?.handTo(process.pid);
  const exited = process.exited.then(async (code) => {
    await dataLock?.release();
    return code;
  });
  const stop = async (): Promise<void> => {
    await process.stop();
    await exited;
  };
  const address = `127.0.0.1:${port}`;
  try {
    const connection = await connected(port, process, signal);
    try {
      await ensureSearchAttributes(connection, namespace);
      await ensureRetention(connection, namespace);
    } finally {
      await connection.close();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, namespace, uiUrl: ui ? `http://127.0.0.1:${uiPort}` : undefined, exited, stop };
}

/**
 * Checks that somebody else's server answers, and registers our search attributes there. How long it keeps runs is its owner's decision.
 * @throws {MlError} `TemporalUnavailable`
 */
export async function useTemporalServer(options: ConnectionOptions, namespace: string): Promise<TemporalServer> {
  const address = options.address ?? '127.0.0.1:7233';
  const connection = await Connection.connect({ connectTimeout: '5s', ...options }).catch((error: Error) => {
    throw new MlError(
      'TemporalUnavailable',
      `no Temporal server answers at ${address} (${error.message}): start it, or unset TEMPORAL_ADDRESS to get one`,
      {
        address,
      },
    );
  });
  try {
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
  return { address, namespace, uiUrl: undefined, exited: new Promise(() => {}), stop: async () => {} };
}

/** Two servers on one database file would damage it. The server of an owner that was just killed has a moment to end. */
async function lockData(folder: string): Promise<PidLock> {
  await makeFolder(folder);
  const deadline = performance.now() + stopMs + 1000;
  for (;;) {
    const taken = await tryLock(join(folder, 'temporal.lock'));
    if (typeof taken !== 'number') return taken;
    if (performance.now() > deadline) {
      throw new MlError('TemporalUnavailable', `process ${taken} runs a Temporal server on ${folder}: stop it, or use another PERENNIAL_HOME`, {
        folder,
        pid: taken,
      });
    }
    await sleep(50);
  }
}

async function connected(port: number, process: Lifeline, signal: AbortSignal | undefined): Promise<Connection> {
  const deadline = performance.now() + readyMs;
  const died = process.exited.then((code) => {
    throw new MlError('TemporalUnavailable', `the Temporal server ended with exit code ${code}: ${process.output()}`, { code });
  });
  died.catch(() => {});
  for (;;) {
    signal?.throwIfAborted();
    try {
      // A failed gRPC connection waits a second before it tries again; a plain one tells at once that nobody listens yet.
      await Promise.race([died, listens(port)]);
      return await Promise.race([died, Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: '5s' })]);
    } catch (error) {
      if (error instanceof MlError) throw error;
      if (performance.now() > deadline) {
        throw new MlError(
          'TemporalUnavailable',
          `the Temporal server was not ready after ${readyMs / 1000} s: ${process.output()}`,
          {},
          { cause: error },
        );
      }
      await sleep(20);
    }
  }
}
