import type { MadeRecord } from './artifact.ts';
import { partsOf, sourcesOf } from './lineage.ts';
import type { SegmentState, VersionState } from './registry-entry.ts';

export interface Retention {
  /** Newest versions of each segment that stay, whatever became of them. */
  readonly keep: number;
  /** Nothing that is younger goes, in ISO 8601: a run that is under way may be about to use it. */
  readonly before: string;
}

/** What a sweep starts from: everything that can be read in a store, besides contents. */
export interface Marked {
  readonly states: readonly SegmentState[];
  readonly made: readonly MadeRecord[];
  /** What runs got from the cache. */
  readonly used: readonly { readonly sha256: string; readonly runId: string; readonly at: string }[];
  /** Runs that Temporal holds open: what they made or used stays, however long ago that was. */
  readonly open: ReadonlySet<string>;
}

/** Whether nothing holds on to a version as its log stands: who serves, is fallen back on, is compared with or waits for people stays. */
export function mayBePruned(state: SegmentState, number: number): boolean {
  const version = state.versions.find((it) => it.version === number);
  const held = [state.champion, state.previousChampion, state.anchor];
  return version !== undefined && version.pruned === undefined && version.status !== 'awaiting-decision' && !held.includes(number);
}

/** The versions of a segment that retention lets go, oldest first. Versions that are pruned already do not count among the newest. */
export function expendable(state: SegmentState, { keep, before }: Retention): readonly number[] {
  const standing = state.versions.filter(({ pruned }) => pruned === undefined);
  const newest = new Set(standing.slice(Math.max(0, standing.length - keep)).map(({ version }) => version));
  return standing.filter(({ version, at }) => at < before && !newest.has(version) && mayBePruned(state, version)).map(({ version }) => version);
}

export interface Roots {
  readonly live: Set<string>;
  /** Runs whose histories name what lives, besides what records tell: measurements have no record, since none may be taken from a cache. */
  readonly runs: ReadonlySet<string>;
}

/**
 * The content that lives, by what is written about it: the versions that stay, the specs that are applied, what the runs of those versions made and used,
 * what is young, and all that these were made from. What a living file names inside itself lives, too; who can read files goes on from here with
 * `upstream`.
 */
export function roots({ states, made, used, open }: Marked, before: string, gone: (state: SegmentState, version: VersionState) => boolean): Roots {
  const live = new Set<string>();
  const runs = new Set(open);
  for (const state of states) {
    if (state.applied !== undefined) live.add(state.applied.spec.sha256);
    for (const version of state.versions) {
      if (gone(state, version)) continue;
      for (const [, sha256] of partsOf(version)) live.add(sha256);
      if (version.run !== null) runs.add(version.run.runId);
    }
  }
  for (const { artifact, by, at } of made) if (at >= before || runs.has(by.runId)) live.add(artifact.sha256);
  for (const { sha256, runId, at } of used) if (at >= before || runs.has(runId)) live.add(sha256);
  return { live, runs };
}

/** What content was made from, by all the records that made it: its inputs, and whatever its parameters and notes name. */
export function upstream(made: readonly MadeRecord[]): (sha256: string) => Iterable<string> {
  const sources = new Map<string, Set<string>>();
  for (const record of made) {
    const known = sources.get(record.artifact.sha256) ?? new Set();
    for (const [, sha256] of sourcesOf(record)) known.add(sha256);
    sources.set(record.artifact.sha256, known);
  }
  return (sha256) => sources.get(sha256) ?? [];
}
