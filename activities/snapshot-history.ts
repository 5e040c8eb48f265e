import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { RecommendationTarget } from '../core/tasks/recommendation.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { writeHistory } from '../data/history.ts';
import { callOf, makeArtifact } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { rowParameters } from './row-files.ts';

export interface SnapshotHistoryInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
}

/** What servers answer requests by user from. It lies beside the package, so that erasing a user does not touch the model. */
export const snapshotHistory =
  (ports: Ports): Step<SnapshotHistoryInput, Artifact<'snapshot'>> =>
  async ({ spec, rows }, context) => {
    const recipe = {
      step: 'snapshotHistory',
      code: ['data/history'],
      inputs: { rows: rows.sha256 },
      parameters: rowParameters(spec),
      environment: { duckdb: duckdbVersion },
      mediaType: 'application/gzip',
    };
    return makeArtifact(ports, context, 'snapshot', recipe, async () => {
      const out = join(context.scratch, 'history.jsonl.gz');
      const { time } = spec.rows;
      const target = spec.target as RecommendationTarget;
      const { users } = await writeHistory(
        { rows: await ports.blobs.open(rows.sha256, callOf(context)), target, out, ...(time !== undefined && { time }) },
        context,
      );
      return { path: out, notes: { users } };
    });
  };
