import { join } from 'node:path';
import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Part } from '../core/table.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { loaderOf } from '../data/loaders/index.ts';
import { callOf, json, makeArtifact } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { rowFiles, rowInputs, rowParameters } from './row-files.ts';
import type { Snapshots } from './snapshot-paths.ts';

export interface FitPreprocessingInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly snapshots: Snapshots;
  readonly parts: readonly Part[] | 'all';
}

/** Fit how rows are encoded (for a recommender: its catalogue) on some parts, once for all trainers. */
export const fitPreprocessing =
  (ports: Ports): Step<FitPreprocessingInput, Artifact<'preprocessor'>> =>
  async (input, context) => {
    const { spec, snapshots, parts } = input;
    const loader = loaderOf(spec.task);
    const source = loader.describedBy(spec.target);
    const described = source === undefined ? undefined : snapshots[source];
    const recipe = {
      step: 'fitPreprocessing',
      code: [`data/loaders/${spec.task}`],
      inputs: { ...rowInputs(input), ...(described && { described: described.sha256 }) },
      parameters: { ...rowParameters(spec), parts: parts as Json },
      environment: { duckdb: duckdbVersion },
      mediaType: json,
    };
    return makeArtifact(ports, context, 'preprocessor', recipe, async () => {
      const out = join(context.scratch, 'preprocessor.json');
      const file = described && { snapshot: await ports.blobs.open(described.sha256, callOf(context)), key: spec.sources[source!]!.key[0]! };
      await loader.fit(await rowFiles(ports, input, callOf(context)), file, out, context);
      return { path: out };
    });
  };
