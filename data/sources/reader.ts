import type { Json } from '../../core/artifact.ts';
import type { Connection, ReadSecret, SecretReference } from '../../core/connection.ts';
import { MlError } from '../../core/errors.ts';
import type { SourceSpec } from '../../core/model-spec.ts';
import type { DataContext } from '../duckdb.ts';

/** A source of a spec, with its connection looked up. */
export interface SourceRequest {
  readonly name: string;
  readonly source: SourceSpec;
  readonly connection: Connection;
  /** What stands after `connection:` in `from`; starts with `/`. */
  readonly path: string;
  readonly readSecret: ReadSecret;
}

export interface SnapshotRequest extends SourceRequest {
  /** Where the Parquet file goes. */
  readonly out: string;
  /** A folder that outlives attempts: what was downloaded before a kill is not downloaded again. Removed by the caller after success. */
  readonly resume: string;
}

/** What a source looks like now: equal digests mean that a snapshot would be equal. Never cached. */
export interface Observation {
  /** SHA-256 over the facts. */
  readonly sha256: string;
  /** An ETag; or names, sizes and content hashes of files. */
  readonly facts: Json;
}

export interface SnapshotFacts {
  /** SHA-256 of the source's own bytes (of the page digests, for an API). */
  readonly sourceSha256: string;
  readonly rows: number;
  /** ISO 8601 instants of the first and the last row; absent without a time column or rows. */
  readonly timeFrom?: string;
  readonly timeTo?: string;
  /** Of the Parquet file. */
  readonly bytes: number;
}

/** One way to read sources: a file each, listed in `index.ts`. */
export interface Reader {
  observe(request: SourceRequest, context: DataContext): Promise<Observation>;
  snapshot(request: SnapshotRequest, context: DataContext): Promise<SnapshotFacts>;
}

/** The key that a source needs of its connection, by reference; `why` it does. @throws {MlError} `SourceKeyMissing` */
export function keyReference({ name, source, connection }: SourceRequest, field: 'identity' | 'pseudonymKey', why: string): SecretReference {
  const reference = connection.kind === 'folder' ? connection[field] : undefined;
  if (reference !== undefined) return reference;
  const [at] = source.from.split(':');
  throw new MlError(
    'SourceKeyMissing',
    `source "${name}" (${source.from}) ${why}, and its connection names no key: add ${field}: { file: "…" } or { env: "…" } to "${at}" in perennial.config.ts`,
    { source: name, connection: at, field },
  );
}
