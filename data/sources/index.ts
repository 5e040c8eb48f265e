import { rm } from 'node:fs/promises';
import { MlError } from '../../core/errors.ts';
import type { SourceReader } from '../../core/model-spec.ts';
import type { DataContext } from '../duckdb.ts';
import { csv } from './csv.ts';
import { json } from './json.ts';
import { jsonLines } from './json-lines.ts';
import { jsonPages } from './json-pages.ts';
import { parquet } from './parquet.ts';
import type { Observation, Reader, SnapshotFacts, SnapshotRequest } from './reader.ts';

/** Every way to read a source, by the name that specs use. */
export const readers: Readonly<Record<SourceReader, Reader>> = { csv, json, 'json-lines': jsonLines, parquet, 'json-pages': jsonPages };

/**
 * Reads a source into an immutable Parquet file at `out`: declared columns only, cast to their kinds, sorted by key; equal rows give equal bytes.
 *
 * @throws {MlError} `SourceChanged` if the source is not, or no longer, what was observed: the snapshot would be of something else.
 */
export async function snapshotAsObserved(request: SnapshotRequest, observed: Observation, context: DataContext): Promise<SnapshotFacts> {
  const reader = readers[request.source.read];
  const facts = await reader.snapshot(request, context);
  if ((await reader.observe(request, context)).sha256 === observed.sha256) return facts;
  await rm(request.resume, { recursive: true, force: true });
  throw new MlError('SourceChanged', `source "${request.name}" changed after it was observed: observe it again`, { source: request.name });
}
