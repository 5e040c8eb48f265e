import { MlError } from './errors.ts';
import { nearest } from './nearest.ts';

/** Where a secret is, never the secret: an environment variable or a file of the worker's. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/** Looks a secret up in the worker. @throws {MlError} `SecretMissing` */
export type ReadSecret = (reference: SecretReference) => Promise<string>;

/** A place that sources are read from. Specs name it (`catalogue:/movies.csv`); only the worker's configuration says where it is. */
export type Connection =
  | {
      readonly kind: 'folder';
      readonly path: string;
      /** The age identity, or several, that opens its `.age` files. */
      readonly identity?: SecretReference;
      /** 32 bytes in base64, by which columns with `pseudonym` are hashed. One key for all sources that are joined. */
      readonly pseudonymKey?: SecretReference;
    }
  | {
      readonly kind: 'http';
      /** Paths of sources are appended to it. */
      readonly baseUrl: string;
      /** `host` or `host:port`. Requests, redirects and next links to any other host are refused, so that the token cannot leave. */
      readonly allowedHosts: readonly string[];
      /** Sent as `Authorization: Bearer …`. */
      readonly token?: SecretReference;
    };

export type Connections = Readonly<Record<string, Connection>>;

/** The two halves of `connection:/path`. */
export function splitFrom(from: string): { readonly connection: string; readonly path: string } {
  const colon = from.indexOf(':/');
  if (colon < 1) throw new MlError('SpecInvalid', `"${from}" is not of the form "connection:/path"`, { from });
  return { connection: from.slice(0, colon), path: from.slice(colon + 1) };
}

/**
 * The connection that a source's `from` names, with the path inside it.
 *
 * @throws {MlError} `ConnectionUnknown`
 */
export function connectionOf(connections: Connections, from: string): { readonly connection: Connection; readonly path: string } {
  const { connection: name, path } = splitFrom(from);
  const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
  if (connection) return { connection, path };
  const names = Object.keys(connections);
  const hint = nearest(name, names);
  throw new MlError(
    'ConnectionUnknown',
    `connection "${name}" (of "${from}") is not configured: add it to "connections" in perennial.config.ts` +
      (names.length === 0 ? '' : `; it has ${names.join(', ')}${hint === undefined ? '' : ` (did you mean "${hint}"?)`}`),
    { connection: name, known: names },
  );
}

/**
 * A token as the value of an `Authorization` header. Checked here, since `fetch` quotes a value that it refuses, and the secret with it.
 *
 * @throws {MlError} `ConfigInvalid`
 */
export function bearer(token: string, reference: SecretReference): string {
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  const place = 'env' in reference ? `environment variable ${reference.env}` : `file ${reference.file}`;
  throw new MlError('ConfigInvalid', `the token in ${place} has a line break, a space or another character that no header takes: write it again`, {
    ...reference,
  });
}
