import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { RegisteredVersion } from '../core/registry-entry.ts';
import { leaveOutSeen as leaveOut } from '../data/seen.ts';
import { makeArtifact, parquet } from './make.ts';
import type { Ports, Step } from './ports.ts';

export interface LeaveOutSeenInput {
  readonly spec: ModelSpec;
  readonly split: Artifact<'split'>;
  readonly seenBy: readonly RegisteredVersion['seen'][];
}

export interface FairSplit {
  /** The same split where nobody has seen any of its test rows. */
  readonly split: Artifact<'split'>;
  readonly leftOut: number;
}

/** Leave test rows out that the champion or the anchor has been fitted on: a fair exam for all. */
export const leaveOutSeen =
  (ports: Ports): Step<LeaveOutSeenInput, FairSplit> =>
  async ({ spec, split, seenBy }, context) => {
    const seen = [...new Set(seenBy.flatMap(({ splits }) => splits.map(({ sha256 }) => sha256)))].toSorted();
    const out = join(context.scratch, 'split.parquet');
    const paths = await Promise.all(seen.map((sha256) => ports.blobs.open(sha256)));
    const leftOut = await leaveOut({ split: await ports.blobs.open(split.sha256), key: spec.rows.key, seenBy: paths, out }, context);
    if (leftOut === 0) return { split, leftOut };
    const inputs = { split: split.sha256, ...Object.fromEntries(seen.map((sha256, index) => [`seen.${index}`, sha256])) };
    const recipe = { step: 'leaveOutSeen', code: ['data/seen'], inputs, parameters: { key: [...spec.rows.key] }, mediaType: parquet };
    return { split: await makeArtifact(ports, context, 'split', recipe, async () => ({ path: out })), leftOut };
  };
