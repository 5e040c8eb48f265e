import type { Json } from './artifact.ts';
import { canonical } from './canonical.ts';
import { valueDifferences } from './explain-cache.ts';
import type { Difference } from './explain-cache.ts';
import type { PackageManifest } from './manifest.ts';
import type { Gain, VersionState } from './registry-entry.ts';

/** One side of a comparison: a version, its package's manifest, and the spec that it was made by. */
export interface Compared {
  readonly reference: string;
  readonly version: VersionState;
  readonly trainer: PackageManifest['trainer'];
  readonly spec: Json;
}

export interface Comparison {
  readonly sides: readonly [string, string];
  /** Whether both were examined on the same rows, split alike: elsewhere figures are not comparable. Each row says what a contender scored in its own. */
  readonly sameExam: boolean;
  /** `model` is the version itself; then the baselines that either exam had. */
  readonly metrics: readonly { readonly of: string; readonly metric: string; readonly values: readonly [number | null, number | null] }[];
  readonly gains: readonly { readonly over: string; readonly metric: string; readonly values: readonly [Gain | null, Gain | null] }[];
  /** Where parameters, window, rows and spec differ; `before` is the first side's. */
  readonly differences: readonly Difference[];
}

/** Two versions side by side. */
export function compare(a: Compared, b: Compared): Comparison {
  const scores = [scoresOf(a.version), scoresOf(b.version)] as const;
  const names = union(Object.keys(scores[0]), Object.keys(scores[1]));
  const metrics = names.flatMap((of) =>
    union(Object.keys(scores[0][of] ?? {}), Object.keys(scores[1][of] ?? {})).map(
      (metric) => ({ of, metric, values: [scores[0][of]?.[metric] ?? null, scores[1][of]?.[metric] ?? null] }) as const,
    ),
  );
  const gains = [a.version.verdict?.gains ?? [], b.version.verdict?.gains ?? []] as const;
  const overs = union(...gains.map((list) => list.map(({ over }) => over)));
  return {
    sides: [a.reference, b.reference],
    sameExam: canonical(a.version.seen) === canonical(b.version.seen),
    metrics,
    gains: overs.map((over) => {
      const [first, second] = gains.map((list) => list.find((gain) => gain.over === over) ?? null);
      return { over, metric: (first ?? second)!.metric, values: [first!, second!] };
    }),
    differences: [
      ...valueDifferences('trainer', a.trainer as unknown as Json, b.trainer as unknown as Json),
      ...valueDifferences('window', { ...a.version.window }, { ...b.version.window }),
      ...valueDifferences('rows', a.version.rows, b.version.rows),
      ...valueDifferences('sources', { ...a.version.observed }, { ...b.version.observed }),
      ...valueDifferences('spec', a.spec, b.spec),
    ],
  };
}

const scoresOf = ({ metrics, baselines }: VersionState): Readonly<Record<string, Readonly<Record<string, number>>>> => ({
  model: metrics,
  ...baselines,
});

const union = (...lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())];
