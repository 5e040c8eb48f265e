import { z } from 'zod';
import type { Connections } from './connection.ts';
import { MlError } from './errors.ts';

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
}

/** Checks a project's configuration while it is written; `perennial.config.ts` exports the result as its default. */
export const defineConfig = (config: Config): Config => config;

const secret = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
  error: 'a secret is named, not written down: { env: "NAME" } or { file: "path" }',
});
const port = z.number().int().min(1).max(65_535);
const connection = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('http'),
    baseUrl: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
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
