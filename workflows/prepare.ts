import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import type { Artifact } from '../core/artifact.ts';
import type { SplitFold } from '../activities/split-rows.ts';
import { MlError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { SourcesRead, TrainRequest } from '../core/run.ts';
import { steps } from './steps.ts';

export type Fold = SplitFold;

/** Sources that were read, and the rows made from them. */
export interface PreparedRows extends SourcesRead {
  readonly rows: Artifact<'rows'>;
  readonly profile: Artifact<'profile'>;
  readonly rowCount: number;
  readonly window: Window;
  readonly folds: readonly Fold[];
}

/** Observe and read every source, and check the contract. */
export async function readSources(spec: ModelSpec): Promise<SourcesRead> {
  const read = await Promise.all(Object.keys(spec.sources).map((source) => readSource(spec, source)));
  const snapshots = Object.fromEntries(read.map(({ source, snapshot }) => [source, snapshot]));
  const observed = Object.fromEntries(read.map(({ source, fingerprint }) => [source, fingerprint]));

  const contract = await steps.checkContract({ spec, snapshots });
  if (!contract.passed) {
    throw new MlError(
      'ContractBroken',
      `the sources of "${spec.name}" broke their contract: ${contract.violations.join('; ')}. Sample rows are in the contract artifact: repair the source, or change the contract`,
      {
        violations: contract.violations,
        report: contract.report.sha256,
      },
    );
  }
  return { snapshots, observed, contract: contract.report };
}

/** Make the rows of one window and segment from sources that are read, now or before, split them, and look for leaks. */
export async function prepare(spec: ModelSpec, segment: string, given: Pick<TrainRequest, 'window' | 'read'> = {}): Promise<PreparedRows> {
  const { window } = given;
  const read = given.read ?? (await readSources(spec));
  const { snapshots } = read;
  const { rows, profile, rowCount, window: actual } = await steps.buildRows({ spec, segment, snapshots, ...(window && { window }) });
  const { folds } = await steps.splitRows({ spec, rows });
  await Promise.all(folds.map((fold) => steps.checkLeaks({ spec, segment, snapshots, rows, window: actual, fold })));
  return { ...read, rows, profile, rowCount, window: actual, folds };
}

/** A source that changes while it is read is observed again so often. */
const mostObservations = 3;

async function readSource(spec: ModelSpec, source: string) {
  for (let observations = 1; ; observations++) {
    const { observation } = await steps.observeSource({ spec, source });
    try {
      const snapshot = await steps.snapshotSource({ spec, source, observation });
      return { source, snapshot, fingerprint: observation.sha256 };
    } catch (error) {
      if (observations === mostObservations || !hasChanged(error)) throw error;
    }
  }
}

const hasChanged = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === ('SourceChanged' satisfies ErrorCode);
