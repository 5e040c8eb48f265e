import type { Artifact } from '../core/artifact.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { checkLeak } from '../data/leak.ts';
import { callOf, makeJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { snapshotInputs, snapshotPaths } from './snapshot-paths.ts';
import type { Snapshots } from './snapshot-paths.ts';
import type { SplitFold } from './split-rows.ts';

export interface CheckLeaksInput {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly snapshots: Snapshots;
  readonly rows: Artifact<'rows'>;
  readonly window: Window;
  readonly fold: SplitFold;
}

/**
 * Rows rebuilt from sources that do not know the test rows must equal the training rows, or a feature has looked into the future. No test rows may be copies
 * of training rows.
 */
export const checkLeaks =
  (ports: Ports): Step<CheckLeaksInput, Artifact<'contract'>> =>
  async ({ spec, segment, snapshots, rows, window, fold }, context) => {
    const { sources, aggregates, rows: select, segments = null, request, target } = spec;
    const twins = request && { request, target, trusted: spec.gate?.trusted?.twins !== undefined };
    const parameters = JSON.parse(
      JSON.stringify({ sources, aggregates, rows: select, by: segments?.by ?? null, segment, window, testFrom: fold.testFrom ?? null, ...twins }),
    );
    const inputs = { ...snapshotInputs(snapshots), rows: rows.sha256, split: fold.split.sha256 };
    return makeJson(
      ports,
      context,
      'contract',
      { step: 'checkLeaks', code: ['data/leak'], inputs, parameters, environment: { duckdb: duckdbVersion } },
      async () => {
        const [rowsPath, path] = await Promise.all([
          ports.blobs.open(rows.sha256, callOf(context)),
          ports.blobs.open(fold.split.sha256, callOf(context)),
        ]);
        const { name, parts, testFrom } = fold;
        const file = { name, path, parts, ...(testFrom !== undefined && { testFrom }) };
        return checkLeak(
          { spec, snapshots: await snapshotPaths(ports, snapshots, callOf(context)), segment, window, rows: rowsPath, fold: file },
          context,
        );
      },
    );
  };
