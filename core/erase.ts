import type { ArtifactKind, MadeRecord } from './artifact.ts';
import type { ModelSpec } from './model-spec.ts';
import { partsOf, sourcesOf } from './lineage.ts';
import { formatReference } from './registry.ts';
import type { SegmentState, VersionState } from './registry-entry.ts';

/**
 * Kinds whose content is figures about everybody at once, or what was learned from them. They stay with the version that they belong to: it serves until it
 * is retired or another takes its place. All other kinds hold rows, values of rows, or who they are about.
 */
const aggregates: readonly ArtifactKind[] = ['spec', 'model', 'package', 'evaluation', 'benchmark', 'report', 'lineage'];

export interface Touched {
  readonly state: SegmentState;
  readonly version: VersionState;
}

/** All that was made from these contents, and they themselves: causes come before what they led to. */
export function downstreamOf(made: readonly MadeRecord[], origins: Iterable<string>): ReadonlySet<string> {
  const makes = new Map<string, Set<string>>();
  for (const record of made) {
    for (const [, source] of sourcesOf(record)) makes.set(source, (makes.get(source) ?? new Set()).add(record.artifact.sha256));
  }
  const reached = new Set(origins);
  // What is added to a set while one walks along it is walked, too.
  for (const sha256 of reached) for (const next of makes.get(sha256) ?? []) reached.add(next);
  return reached;
}

/** The versions that were made from, or judged by, any of these contents. */
export function touchedBy(states: readonly SegmentState[], reached: ReadonlySet<string>): readonly Touched[] {
  return states.flatMap((state) =>
    state.versions.filter((version) => partsOf(version).some(([, sha256]) => reached.has(sha256))).map((version) => ({ state, version })),
  );
}

export interface ErasurePlan {
  /** SHA-256 of what goes; causes come before what they led to. */
  readonly content: readonly string[];
  readonly touched: readonly Touched[];
}

/**
 * What goes when these origins are erased: they, and all content made from them that is no aggregate. Versions in `retired` go whole, with package and model.
 * `filesOf` are the files of a version's package.
 */
export function planErasure(
  facts: { readonly states: readonly SegmentState[]; readonly made: readonly MadeRecord[] },
  origins: Iterable<string>,
  { retire, filesOf }: { readonly retire: boolean; readonly filesOf: (version: VersionState) => readonly string[] },
): ErasurePlan {
  const reached = downstreamOf(facts.made, origins);
  const touched = touchedBy(facts.states, reached);
  const isTouched = new Set(touched.map(referenceOf));
  const stays = new Set<string>();
  const goesWhole = new Set<string>();
  for (const state of facts.states) {
    if (state.applied !== undefined) stays.add(state.applied.spec.sha256);
    for (const version of state.versions) {
      stays.add(version.spec.sha256);
      const isWhole = !isTouched.has(referenceOf({ state, version }));
      const [pack, ...parts] = [version.package.sha256, ...partsOf(version).map(([, sha256]) => sha256)];
      const whole = [...parts, ...filesOf(version)];
      // An untouched version keeps all that it has, a touched one that serves on keeps its package.
      if (isWhole) for (const sha256 of whole) stays.add(sha256);
      else if (!retire) for (const sha256 of [pack, ...filesOf(version)]) stays.add(sha256);
      else for (const sha256 of whole) goesWhole.add(sha256);
    }
  }
  const kinds = new Map(facts.made.map(({ artifact }) => [artifact.sha256, artifact.kind]));
  const isAggregate = (sha256: string): boolean => kinds.has(sha256) && aggregates.includes(kinds.get(sha256)!);
  const content = [...reached].filter((sha256) => retire || !isAggregate(sha256));
  return { content: [...new Set([...content, ...goesWhole])].filter((sha256) => !stays.has(sha256)), touched };
}

/** The columns that a spec names: of its sources, of its rows, and what it predicts. */
export function columnsOf({ sources = {}, rows, target }: Partial<ModelSpec>): readonly string[] {
  const { user, item, value, column } = (target ?? {}) as Readonly<Partial<Record<string, string>>>;
  const named = [user, item, value, column].filter((name) => name !== undefined);
  return [...Object.values(sources).flatMap((source) => Object.keys(source.columns)), ...Object.keys(rows?.columns ?? {}), ...named];
}

export const referenceOf = ({ state, version }: Touched): string => formatReference(state.model, state.segment, version.version);
