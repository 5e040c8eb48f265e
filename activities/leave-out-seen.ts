import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { leaveOutSeen as leaveOut } from '../data/seen.ts';
import { loaderOf } from '../data/loaders/index.ts';
import type { Contender } from './find-contenders.ts';
import { callOf, makeArtifact, parquet } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { tableOf } from './row-files.ts';

export interface LeaveOutSeenInput {
  readonly spec: ModelSpec;
  readonly split: Artifact<'split'>;
  /** The splits of all folds of the exam. */
  readonly exam: readonly Artifact<'split'>[];
  /** One without its encoding is taken to be able to sit. */
  readonly rivals: readonly (Pick<Contender, 'seen'> & Partial<Pick<Contender, 'examinedItems'>> & { readonly name: string })[];
}

export interface FairSplit {
  /** The same split where nobody who sits the exam has seen any of its test rows. */
  readonly split: Artifact<'split'>;
  readonly leftOut: number;
  /** Who cannot sit the exam fairly; the same for all its folds. Left away where everybody can. */
  readonly excused?: readonly string[];
}

/**
 * Leave test rows out that the champion or another rival has been fitted on, and say who of them cannot sit the exam at all: it is fair to all who do.
 * Who takes inputs that the spec has no more cannot.
 */
export const leaveOutSeen =
  (ports: Ports): Step<LeaveOutSeenInput, FairSplit> =>
  async ({ spec, split, exam, rivals }, context) => {
    const isThere = async ({ sha256 }: Artifact): Promise<boolean> => (await ports.blobs.head(sha256)) !== undefined;
    // What a rival has seen may have been erased: then nobody can tell which rows would be fair.
    const known = await Promise.all(rivals.map(async ({ seen }) => (await Promise.all(seen.splits.map(isThere))).every(Boolean)));
    const able = await Promise.all(
      rivals.map(async ({ examinedItems }, index) => {
        if (!known[index] || examinedItems === undefined) return known[index];
        const { canSit } = loaderOf(spec.task);
        if (canSit === undefined) return true;
        return canSit(await ports.blobs.open(examinedItems.sha256, callOf(context)), { target: spec.target, ...tableOf(spec) });
      }),
    );
    const told = rivals.filter((_, index) => able[index]);
    const open = (splits: readonly Artifact<'split'>[]) => Promise.all(splits.map(({ sha256 }) => ports.blobs.open(sha256, callOf(context))));
    const files = {
      split: (await open([split]))[0]!,
      exam: await open(exam),
      rivals: await Promise.all(told.map(async ({ name, seen }) => ({ name, splits: await open(seen.splits), asGuest: name === 'fallback' }))),
    };
    const { key } = spec.rows;
    const out = join(context.scratch, 'split.parquet');
    const { sitting, leftOut } = await leaveOut({ ...files, key, out }, context);
    const excused = rivals.map(({ name }) => name).filter((name) => !sitting.includes(name));
    const decision = { leftOut, ...(excused.length > 0 && { excused }) };
    if (leftOut === 0) return { split, ...decision };

    const seenBy = rivals.filter(({ name }) => sitting.includes(name));
    const seen = [...new Set(seenBy.flatMap((rival) => rival.seen.splits.map(({ sha256 }) => sha256)))].toSorted();
    const recipe = {
      step: 'leaveOutSeen',
      code: ['data/seen'],
      inputs: { split: split.sha256, ...Object.fromEntries(seen.map((sha256, index) => [`seen.${index}`, sha256])) },
      parameters: { key: [...key] },
      environment: { duckdb: duckdbVersion },
      mediaType: parquet,
    };
    return { split: await makeArtifact(ports, context, 'split', recipe, async () => ({ path: out })), ...decision };
  };
