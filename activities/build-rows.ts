import { join } from 'node:path';
import type { Artifact, Json } from '../core/artifact.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { dataWindow, always, buildRows as build } from '../data/rows.ts';
import { profile as profileOf } from '../data/profile.ts';
import type { Profile } from '../data/profile.ts';
import { callOf, makeArtifact, makeJson, parquet, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { snapshotInputs, snapshotPaths } from './snapshot-paths.ts';
import type { Snapshots } from './snapshot-paths.ts';

export interface BuildRowsInput {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly snapshots: Snapshots;
  /** Instead of the spec's. */
  readonly window?: Window;
}

export interface BuiltRows {
  readonly rows: Artifact<'rows'>;
  readonly profile: Artifact<'profile'>;
  readonly rowCount: number;
  readonly window: Window;
}

interface RowsProfile extends Profile {
  readonly window: Window;
}

/** Run the spec's one `SELECT` over the snapshots, for one window and segment, and describe each column of what it gives. */
export const buildRows =
  (ports: Ports): Step<BuildRowsInput, BuiltRows> =>
  async ({ spec, segment, snapshots, window }, context) => {
    const { sources, aggregates, rows: select, segments = null } = spec;
    const parameters = JSON.parse(
      JSON.stringify({ sources, aggregates, rows: select, by: segments?.by ?? null, segment, window: window ?? spec.window ?? null }),
    ) as Json;
    const environment = { duckdb: duckdbVersion };
    const recipe = { step: 'buildRows', code: ['data/rows'], inputs: snapshotInputs(snapshots), parameters, environment, mediaType: parquet };
    const rows = await makeArtifact(ports, context, 'rows', recipe, async () => {
      const out = join(context.scratch, 'rows.parquet');
      const facts = await build(
        { spec, segment, snapshots: await snapshotPaths(ports, snapshots, callOf(context)), out, ...(window && { window }) },
        context,
      );
      return { path: out, notes: { window: { ...facts.window }, rows: facts.rows } };
    });
    const profile = await makeJson(
      ports,
      context,
      'profile',
      {
        step: 'profileRows',
        code: ['data/profile', 'data/rows'],
        inputs: { rows: rows.sha256 },
        parameters: { time: select.time ?? null },
        environment,
      },
      async () => {
        const path = await ports.blobs.open(rows.sha256, callOf(context));
        const actual = select.time === undefined ? always : await dataWindow(path, select.time, context);
        return { ...(await profileOf(path, context)), window: actual } satisfies RowsProfile;
      },
    );
    const { rows: rowCount, window: actual } = await readJson<RowsProfile>(ports, profile);
    return { rows, profile, rowCount, window: window ?? actual };
  };
