import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { snapshotAsObserved } from '../data/sources/index.ts';
import type { Observation } from '../data/sources/reader.ts';
import { digestOf } from '../stores/digest.ts';
import { makeArtifact, parquet } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { sourceRequest } from './source-request.ts';

export interface SnapshotSourceInput {
  readonly spec: ModelSpec;
  readonly source: string;
  readonly observation: Observation;
}

/** Read a source as it was observed into an immutable Parquet file, in constant memory. What was downloaded before a kill is not downloaded again. */
export const snapshotSource =
  (ports: Ports): Step<SnapshotSourceInput, Artifact<'source'>> =>
  async ({ spec, source, observation }, context) => {
    const request = sourceRequest(ports, spec, source);
    const declared = JSON.parse(JSON.stringify(request.source)) as Json;
    const recipe = {
      step: 'snapshotSource',
      code: [`data/sources/${request.source.read}`],
      inputs: { observation: observation.sha256 },
      parameters: { source, declared },
      environment: { duckdb: duckdbVersion },
      mediaType: parquet,
    };
    return makeArtifact(ports, context, 'source', recipe, async () => {
      const out = join(context.scratch, 'source.parquet');
      // Attempts of one run go on from each other's pages; two runs that read the same source at once must not.
      const resume = join(ports.resumeFolder, digestOf({ declared, observed: observation.sha256, workflowId: context.run.workflowId }).slice(0, 32));
      const facts = await snapshotAsObserved({ ...request, out, resume }, observation, context);
      await rm(resume, { recursive: true, force: true });
      return { path: out, notes: { ...facts, observed: observation.facts } };
    });
  };
