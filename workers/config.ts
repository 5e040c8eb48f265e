/** The one file that reads the environment, and the one that loads a project's `perennial.config.ts`. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import {
  type Config,
  type EncryptionConfig,
  type OpenLineageConfig,
  type SigningConfig,
  type Approver,
  type WorkerConfig,
  parseConfig,
} from '../core/config.ts';
import type { Connection, Connections, ReadSecret, SecretReference } from '../core/connection.ts';
import { MlError } from '../core/errors.ts';
import { defaultTaskQueue } from '../core/ids.ts';
import { mapValues } from '../core/map-values.ts';
import type { PythonSettings } from '../core/train-script.ts';
import { secretReader } from '../data/secret.ts';
import { loadModule } from './load-module.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Configuration, environment and defaults, put together: absolute paths, no choices left. */
export interface Settings {
  /** Folder of the project: where `perennial.config.ts` is, or would be. */
  readonly project: string;
  /** Everything that is kept on this machine, unless the store is elsewhere. */
  readonly home: string;
  /** A folder or a URI: what `openStore` takes. */
  readonly store: string;
  readonly pipelines: string;
  readonly connections: Connections;
  readonly taskQueue: string;
  readonly temporal: TemporalSettings;
  /** Port of the prediction server and page; a free one when not given. */
  readonly port: number | undefined;
  readonly worker: WorkerConfig;
  readonly security: Security;
  readonly openLineage?: OpenLineageConfig;
}

/** Keys by reference, with absolute paths: what may go to a child process as it is. */
export interface Security {
  readonly encryption?: EncryptionConfig;
  readonly signing?: SigningConfig;
  readonly approvers?: Readonly<Record<string, Approver>>;
}

/** Which Temporal server is used, or how one is started. */
export interface TemporalSettings {
  readonly namespace: string;
  /** How to reach a running server, TLS and API key included; `undefined` when one is to be started. For clients and workers alike. */
  readonly given: (Pick<NativeConnectionOptions, 'tls' | 'apiKey' | 'metadata'> & { readonly address: string }) | undefined;
  /** Database of the server that is started. */
  readonly dataFolder: string;
  readonly port: number | undefined;
  readonly uiPort: number | undefined;
  /** What `findTemporalCli` needs. */
  readonly cli: { readonly given?: string; readonly path: string; readonly cacheFolder: string };
}

const names = ['perennial.config.ts', 'perennial.config.mts', 'perennial.config.js', 'perennial.config.mjs'];

/**
 * The settings of the project in `folder`. The environment goes before the configuration, and that before the defaults.
 *
 * @throws {MlError} `ConfigInvalid`
 */
export async function loadSettings(folder: string = process.cwd(), env: Environment = process.env): Promise<Settings> {
  const project = resolve(folder);
  return settingsOf(await loadConfig(project), project, env);
}

/** What a project's configuration file exports, or nothing where there is none. @throws {MlError} `ConfigInvalid` */
export async function loadConfig(project: string): Promise<Config> {
  const name = names.find((each) => existsSync(join(project, each)));
  if (name === undefined) return {};
  if (name.endsWith('ts')) await import('./register-typescript.ts');
  const file = join(project, name);
  const module = await loadModule(file);
  if (module['default'] === undefined)
    throw new MlError('ConfigInvalid', `${file} has no default export: export default defineConfig({ … })`, { file });
  return parseConfig(module['default'], file);
}

export function settingsOf(config: Config, project: string, env: Environment): Settings {
  const home = resolve(project, env['PERENNIAL_HOME'] ?? '.perennial');
  const store = env['PERENNIAL_STORE'] ?? config.store;
  return {
    project,
    home,
    store: store === undefined ? join(home, 'store') : hasScheme(store) ? store : resolve(project, store),
    pipelines: resolve(project, config.pipelines ?? 'pipelines'),
    connections: mapValues(config.connections ?? {}, (connection) => connectionOf(connection, project)),
    taskQueue: env['PERENNIAL_TASK_QUEUE'] ?? config.taskQueue ?? defaultTaskQueue,
    temporal: temporalSettings(config.temporal ?? {}, home, env),
    port: portOf(env, 'PERENNIAL_PORT'),
    worker: config.worker ?? {},
    security: securityOf(config, project),
    ...(config.openLineage && { openLineage: openLineageOf(config.openLineage, project) }),
  };
}

/** A reference that means the same in whatever folder it is looked up. */
const placedIn =
  (project: string) =>
  (secret: SecretReference): SecretReference =>
    'file' in secret ? { file: resolve(project, secret.file) } : secret;

function connectionOf(connection: Connection, project: string): Connection {
  if (connection.kind !== 'folder') return connection;
  const placed = placedIn(project);
  const { path, identity, pseudonymKey } = connection;
  return {
    kind: 'folder',
    path: resolve(project, path),
    ...(identity && { identity: placed(identity) }),
    ...(pseudonymKey && { pseudonymKey: placed(pseudonymKey) }),
  };
}

function securityOf({ encryption, signing, approvers }: Config, project: string): Security {
  const at = (path: string): string => resolve(project, path);
  const placed = placedIn(project);
  return {
    ...(encryption && { encryption: { ...encryption, keys: mapValues(encryption.keys, placed) } }),
    ...(signing && { signing: { ...(signing.key && { key: placed(signing.key) }), ...(signing.trust && { trust: signing.trust.map(at) }) } }),
    ...(approvers && { approvers: mapValues(approvers, (approver) => ({ ...approver, publicKey: at(approver.publicKey) })) }),
  };
}

const openLineageOf = (config: OpenLineageConfig, project: string): OpenLineageConfig =>
  'file' in config ? { file: resolve(project, config.file) } : config;

function temporalSettings(config: NonNullable<Config['temporal']>, home: string, env: Environment): TemporalSettings {
  const { connectionOptions, namespace } = fromTemporalsOwn(env);
  const address = connectionOptions.address ?? config.address;
  return {
    namespace: namespace ?? config.namespace ?? 'default',
    given: address === undefined ? undefined : { ...connectionOptions, address },
    dataFolder: join(home, 'temporal'),
    port: portOf(env, 'PERENNIAL_TEMPORAL_PORT') ?? config.port,
    uiPort: portOf(env, 'PERENNIAL_TEMPORAL_UI_PORT') ?? config.uiPort,
    cli: {
      ...(env['TEMPORAL_CLI_PATH'] === undefined ? {} : { given: env['TEMPORAL_CLI_PATH'] }),
      path: env['PATH'] ?? '',
      cacheFolder: cacheFolder(env),
    },
  };
}

/**
 * Temporal's own environment configuration (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…). Its file is read only when a
 * profile or a file is named: what somebody once wrote for other work must not send ours there.
 */
function fromTemporalsOwn(env: Environment): ReturnType<typeof loadClientConnectConfig> {
  const overrideEnvVars = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const disableFile = env['TEMPORAL_PROFILE'] === undefined && env['TEMPORAL_CONFIG_FILE'] === undefined;
  try {
    return loadClientConnectConfig({ overrideEnvVars, disableFile });
  } catch (error) {
    throw new MlError('ConfigInvalid', `the TEMPORAL_ variables are not valid: ${(error as Error).message}`, {}, { cause: error });
  }
}

/** Where training scripts find Python, and where their environments are kept. */
export const pythonSettings = (env: Environment = process.env): PythonSettings => ({ path: env['PATH'] ?? '', cacheFolder: cacheFolder(env) });

function cacheFolder(env: Environment): string {
  const base = env['XDG_CACHE_HOME'];
  // The standard says to ignore a relative one.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'perennial');
}

function portOf(env: Environment, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new MlError('ConfigInvalid', `${name}=${text} is not a port: give a number from 1 to 65535`, { name, value: text });
}

// A drive letter ("C:\store") is no scheme.
const hasScheme = (store: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(store);

/** Looks up what a connection's `token` names, here where the worker runs. */
export const readSecret: ReadSecret = secretReader(process.env);
