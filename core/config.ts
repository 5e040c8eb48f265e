import { z } from 'zod';
import type { Connections, SecretReference } from './connection.ts';
import { MlError } from './errors.ts';
import type { Role } from './ids.ts';

/** What a project says about the place it runs in; what a model is stands in its spec. Everything has a default. */
export interface Config {
  /** Object store: a path of a folder, or a URI. Default: `store` in PERENNIAL_HOME. */
  readonly store?: string;
  /** Folder whose files export specs. Default: `pipelines`. */
  readonly pipelines?: string;
  /** Where sources are read from, by the name that specs use. */
  readonly connections?: Connections;
  readonly temporal?: {
    /** A running server; without it one is started. TEMPORAL_ADDRESS and the rest of Temporal's own variables go before it. */
    readonly address?: string;
    readonly namespace?: string;
    /** Ports of the server that is started; free ones when not given. */
    readonly port?: number;
    readonly uiPort?: number;
  };
  /** Base name of the task queues. Default: `perennial`. */
  readonly taskQueue?: string;
  readonly worker?: WorkerConfig;
  /** Encrypts every payload before it leaves for Temporal, and so the archived histories. */
  readonly encryption?: EncryptionConfig;
  /** Signs promoted versions and the records of runs. */
  readonly signing?: SigningConfig;
  /** Who may approve, promote and roll back, by name. Without it decisions are recorded as claimed. */
  readonly approvers?: Readonly<Record<string, Approver>>;
  /** Where OpenLineage events go. They never hold up a run. */
  readonly openLineage?: OpenLineageConfig;
}

/** What one worker process takes on. */
export interface WorkerConfig {
  /** Default: all. */
  readonly roles?: readonly Role[];
  /** Trainings at the same time. Default: one a core, fewer where memory is short. */
  readonly computeSlots?: number;
  /** Memory that one training may need; with it fewer run at once than there are cores. */
  readonly memoryMb?: number;
  /** A name turns Worker Versioning on: runs stay with the build that started them. */
  readonly deployment?: string;
}

export interface EncryptionConfig {
  /** Id of the key that encrypts. The others only decrypt, so that a key can be changed. */
  readonly current: string;
  /** Key id → where 32 bytes in base64 are. */
  readonly keys: Readonly<Record<string, SecretReference>>;
}

export interface SigningConfig {
  /** An ECDSA P-256 private key in PEM (PKCS #8). Without it nothing is signed, but what is signed is checked. */
  readonly key?: SecretReference;
  /** PEM files of the public keys that count. When there is one, a server refuses versions without its signature. */
  readonly trust?: readonly string[];
}

export interface Approver {
  /** PEM file of the approver's public key: a decision counts with a signature made by its private half. */
  readonly publicKey: string;
  /** Default: `approver`. */
  readonly roles?: readonly string[];
}

export type OpenLineageConfig = { readonly file: string } | { readonly url: string; readonly token?: SecretReference };

/** Checks a project's configuration while it is written; `perennial.config.ts` exports the result as its default. */
export const defineConfig = (config: Config): Config => config;

const secret = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
  error: 'a secret is named, not written down: { env: "NAME" } or { file: "path" }',
});
const url = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
const port = z.number().int().min(1).max(65_535);
const connection = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1), identity: secret.exactOptional(), pseudonymKey: secret.exactOptional() }),
  z.strictObject({
    kind: z.literal('http'),
    baseUrl: url,
    allowedHosts: z.array(z.string().min(1)).min(1, 'name at least the host of baseUrl'),
    token: secret.exactOptional(),
  }),
]);
const schema = z.strictObject({
  store: z.string().min(1).exactOptional(),
  pipelines: z.string().min(1).exactOptional(),
  connections: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'names are lower-case words joined by "-"'), connection).exactOptional(),
  temporal: z
    .strictObject({
      address: z.string().min(1).exactOptional(),
      namespace: z.string().min(1).exactOptional(),
      port: port.exactOptional(),
      uiPort: port.exactOptional(),
    })
    .exactOptional(),
  taskQueue: z.string().min(1).exactOptional(),
  worker: z
    .strictObject({
      roles: z
        .array(z.enum(['control', 'compute', 'gpu']))
        .min(1)
        .exactOptional(),
      computeSlots: z.int().positive().exactOptional(),
      memoryMb: z.int().positive().exactOptional(),
      deployment: z.string().min(1).exactOptional(),
    })
    .exactOptional(),
  encryption: z
    .strictObject({ current: z.string().min(1), keys: z.record(z.string().min(1), secret) })
    .refine(({ current, keys }) => Object.hasOwn(keys, current), 'current is not one of the keys')
    .exactOptional(),
  signing: z.strictObject({ key: secret.exactOptional(), trust: z.array(z.string().min(1)).exactOptional() }).exactOptional(),
  approvers: z
    .record(z.string().min(1), z.strictObject({ publicKey: z.string().min(1), roles: z.array(z.string().min(1)).min(1).exactOptional() }))
    .exactOptional(),
  openLineage: z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ url, token: secret.exactOptional() })]).exactOptional(),
}) satisfies z.ZodType<Config>;

/**
 * The configuration that a file exports; `where` is its name in messages.
 *
 * @throws {MlError} `ConfigInvalid`, naming every field that is wrong.
 */
export function parseConfig(value: unknown, where: string): Config {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? 'the default export' : path.join('.')}: ${message}`);
  throw new MlError('ConfigInvalid', `${where} is not a valid configuration:\n${problems.map((line) => `  - ${line}`).join('\n')}`, {
    where,
    problems,
  });
}
