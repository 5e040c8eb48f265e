import { rm } from 'node:fs/promises';
import { connectionOf, type Connections, type ReadSecret } from '../../core/connection.ts';
import { MlError } from '../../core/errors.ts';
import type { SourceReader, SourceSpec } from '../../core/model-spec.ts';
import type { DataContext } from '../duckdb.ts';
import { csv } from './csv.ts';
import { json } from './json.ts';
import { jsonLines } from './json-lines.ts';
import { jsonPages } from './json-pages.ts';
import { parquet } from './parquet.ts';
import type { Observation, Reader, SnapshotFacts, SnapshotRequest, SourceRequest } from './reader.ts';

export type { Observation, Reader, SnapshotFacts } from './reader.ts';

/** Every way to read a source, by the name that specs use. */
export const readers: Readonly<Record<SourceReader, Reader>> = { csv, json, 'json-lines': jsonLines, parquet, 'json-pages': jsonPages };

/** A source of a spec, and the worker's own connections and secrets to read it with. */
export interface SourceInput {
  readonly name: string;
  readonly source: SourceSpec;
  readonly connections: Connections;
  readonly readSecret: ReadSecret;
}

/** Looks at a source without reading its rows (files: hashes them). Never cache it. */
export async function observeSource(input: SourceInput, context: DataContext): Promise<Observation> {
  return readers[input.source.read].observe(requestOf(input), context);
}

/**
 * Reads a source into an immutable Parquet file at `out`: declared columns only, cast to their kinds, sorted by key; equal rows give equal bytes.
 *
 * `resume` is a folder that outlives attempts (downloaded pages). With `observed`, a source that is another one by now throws `SourceChanged`, so
 * that the snapshot is truly of what was observed: observe again.
 */
export async function snapshotSource(
  input: SourceInput & { readonly out: string; readonly resume: string; readonly observed?: Observation },
  context: DataContext,
): Promise<SnapshotFacts> {
  const request = { ...requestOf(input), out: input.out, resume: input.resume };
  return input.observed ? snapshotAsObserved(request, input.observed, context) : readers[input.source.read].snapshot(request, context);
}

/** @throws {MlError} `SourceChanged` if the source is not, or no longer, what was observed. */
export async function snapshotAsObserved(request: SnapshotRequest, observed: Observation, context: DataContext): Promise<SnapshotFacts> {
  const reader = readers[request.source.read];
  const facts = await reader.snapshot(request, context);
  if ((await reader.observe(request, context)).sha256 === observed.sha256) return facts;
  await rm(request.resume, { recursive: true, force: true });
  throw new MlError('SourceChanged', `source "${request.name}" changed after it was observed: observe it again`, { source: request.name });
}

function requestOf({ name, source, connections, readSecret }: SourceInput): SourceRequest {
  return { name, source, readSecret, ...connectionOf(connections, source.from) };
}
