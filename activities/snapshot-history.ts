import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { loaderOf } from '../data/loaders/index.ts';
import { callOf, makeArtifact } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { rowParameters } from './row-files.ts';

export interface SnapshotHistoryInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
}

/**
 * What servers answer requests by user from; `null` for a kind of task whose requests carry all that the model needs. It lies beside the package, so
 * that erasing a user does not touch the model.
 */
export const snapshotHistory =
  (ports: Ports): Step<SnapshotHistoryInput, Artifact<'snapshot'> | null> =>
  async ({ spec, rows }, context) => {
    const loader = loaderOf(spec.task);
    if (loader.writeHistory === undefined) return null;
    const recipe = {
      step: 'snapshotHistory',
      code: [`data/loaders/${spec.task}`],
      inputs: { rows: rows.sha256 },
      parameters: rowParameters(spec),
      environment: { duckdb: duckdbVersion },
      mediaType: 'application/gzip',
    };
    return makeArtifact(ports, context, 'snapshot', recipe, async () => {
      const out = join(context.scratch, 'history.jsonl.gz');
      const files = { rows: await ports.blobs.open(rows.sha256, callOf(context)), time: spec.rows.time ?? null, target: spec.target };
      return { path: out, notes: await loader.writeHistory!(files, out, context) };
    });
  };
