import type { Artifact } from '../core/artifact.ts';
import type { ModelSpec, SplitSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { splitRows as divide } from '../data/split.ts';
import type { Fold as FoldFile } from '../data/split.ts';
import { callOf, makeArtifact, makeJson, parquet, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';

export interface SplitFold {
  /** `all` where there is only one. */
  readonly name: string;
  readonly split: Artifact<'split'>;
  readonly parts: FoldFile['parts'];
  /** Nothing of the training and validation parts is this late. */
  readonly testFrom?: string;
}

export interface SplitRowsInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
}

/** Say of each row, by its key and time, whether it is for training, validation or the test: once per fold. */
export const splitRows =
  (ports: Ports): Step<SplitRowsInput, { readonly folds: readonly SplitFold[] }> =>
  async ({ spec, rows }, context) => {
    const { key, time } = spec.rows;
    const parameters = { split: { ...spec.split } as Record<string, string | number>, key: [...key], time: time ?? null };
    const recipe = { step: 'splitRows', code: ['data/split'], inputs: { rows: rows.sha256 }, environment: { duckdb: duckdbVersion } };
    const index = await makeJson(ports, context, 'split', { ...recipe, parameters }, async () => {
      const input = {
        rows: await ports.blobs.open(rows.sha256, callOf(context)),
        split: spec.split as SplitSpec,
        key,
        folder: context.scratch,
        ...(time !== undefined && { time }),
      };
      const folds = await divide(input, context);
      return Promise.all(
        folds.map(async ({ path, name, parts, testFrom }) => {
          const called = folds.length === 1 ? 'all' : name;
          const fold = { ...recipe, parameters: { ...parameters, fold: called }, mediaType: parquet };
          const split = await makeArtifact(ports, context, 'split', fold, async () => ({ path, notes: { ...parts } }));
          return { name: called, split, parts, ...(testFrom !== undefined && { testFrom }) } satisfies SplitFold;
        }),
      );
    });
    return { folds: await readJson<readonly SplitFold[]>(ports, index) };
  };
