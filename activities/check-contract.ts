import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec, Severity } from '../core/model-spec.ts';
import { checkContract as check } from '../data/contract.ts';
import type { ContractReport } from '../data/contract.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { callOf, makeJson, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { snapshotInputs, snapshotPaths } from './snapshot-paths.ts';
import type { Snapshots } from './snapshot-paths.ts';

export interface CheckedContract {
  readonly report: Artifact<'contract'>;
  readonly passed: boolean;
  /** What ends the run, in words and without rows: samples stay in the report, since nothing of a person belongs in a history. */
  readonly violations: readonly string[];
  /** What the contract only warns of, likewise. */
  readonly warnings: readonly string[];
}

/** Check what the sources promised. A broken promise is a value here; the workflow ends the run. */
export const checkContract =
  (ports: Ports): Step<{ readonly spec: ModelSpec; readonly snapshots: Snapshots }, CheckedContract> =>
  async ({ spec, snapshots }, context) => {
    const promises = JSON.parse(JSON.stringify({ sources: spec.sources, contract: spec.contract ?? [] })) as Json;
    const report = await makeJson(
      ports,
      context,
      'contract',
      {
        step: 'checkContract',
        code: ['data/contract'],
        inputs: snapshotInputs(snapshots),
        parameters: promises,
        environment: { duckdb: duckdbVersion },
      },
      async () => check({ spec, snapshots: await snapshotPaths(ports, snapshots, callOf(context)) }, context),
    );
    const { passed, violations } = await readJson<ContractReport>(ports, report);
    const messagesOf = (wanted: Severity) => violations.filter(({ severity }) => severity === wanted).map(({ message }) => message);
    return { report, passed, violations: messagesOf('fail'), warnings: messagesOf('warn') };
  };
