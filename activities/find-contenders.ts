import type { Artifact, Json } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import { candidates } from '../core/grid.ts';
import { stands } from '../core/registry.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { RegisteredVersion, SegmentState, VersionState } from '../core/registry-entry.ts';
import { allRows } from '../core/segment.ts';
import { taskOf } from '../core/tasks/index.ts';
import { madeBy } from './made-by.ts';
import { readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';

export interface Contender {
  readonly name: 'champion' | 'anchor' | 'fallback';
  readonly version: number;
  readonly examined: Artifact<'model'>;
  readonly examinedItems: Artifact<'preprocessor'>;
  readonly seen: RegisteredVersion['seen'];
}

export interface Baseline {
  readonly name: string;
  readonly trainer: string;
  readonly parameters: { readonly [name: string]: Json };
}

export interface Contenders {
  /** The version that this training would make again, where there is one. */
  readonly unchanged: { readonly version: number; readonly reason: string } | null;
  readonly champion: Contender | null;
  /** The last version promoted as `better`, when it is not the champion itself. */
  readonly anchor: Contender | null;
  /** The champion of all rows, which answers for a segment that has none of its own. */
  readonly fallback?: Contender | null;
  readonly baselines: readonly Baseline[];
}

export interface FindContendersInput {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly seen: RegisteredVersion['seen'];
  /** The challenger's model; `null` asks for the others only. */
  readonly examined: Artifact<'model'> | null;
}

/** Whom the challenger must beat: today's champion, the anchor, who would answer without it, and the spec's baselines. Never cached: the registry moves on. */
export const findContenders =
  (ports: Ports): Step<FindContendersInput, Contenders> =>
  async ({ spec, segment, seen, examined }) => {
    const state = await ports.registry.state({ model: spec.name, segment });
    const champion = contender('champion', state, state.champion);
    const anchor = state.anchor === state.champion ? null : contender('anchor', state, state.anchor);
    const fallback = segment === allRows ? null : await fallbackOf(ports, spec.name);
    const baselines = await Promise.all(baselinesOf(spec).map((name) => baselineOf(ports, spec, name)));
    return { unchanged: examined && (await findUnchanged(ports, spec, state, seen, examined)), champion, anchor, fallback, baselines };
  };

function contender(name: Contender['name'], state: SegmentState, version: number | null): Contender | null {
  const found = state.versions.find((each) => each.version === version);
  return found === undefined
    ? null
    : { name, version: found.version, examined: found.examined, examinedItems: found.examinedItems, seen: found.seen };
}

async function fallbackOf(ports: Ports, model: string): Promise<Contender | null> {
  const state = await ports.registry.state({ model, segment: allRows });
  return contender('fallback', state, state.champion);
}

/** The same examined model on the same rows makes the same package: there is nothing to judge, pack or register. A retired version is no answer. */
async function findUnchanged(ports: Ports, spec: ModelSpec, state: SegmentState, seen: RegisteredVersion['seen'], examined: Artifact<'model'>) {
  for (const version of state.versions.toReversed()) {
    if (!stands(version)) continue;
    if (version.examined.sha256 !== examined.sha256 || version.seen.rows.sha256 !== seen.rows.sha256) continue;
    const before = await readJson<ModelSpec>(ports, version.spec);
    if (madeBy(before) !== madeBy(spec)) continue;
    return {
      version: version.version,
      reason: `The sources, the rows and the choices are those of version ${version.version} (${standing(version)}).`,
    };
  }
  return null;
}

function standing({ status, verdict }: VersionState): string {
  return verdict === undefined ? status : `${status}, judged ${verdict.name}`;
}

/** They tell a leak, so that they sit every exam of their kind of task, whether or not they must be beaten. */
const witnesses = ['constant', 'one-feature'];

function baselinesOf({ task, gate }: ModelSpec): readonly string[] {
  const { baselines, gate: own } = taskOf(task);
  return [...new Set([...(gate?.baselines ?? own.baselines), ...witnesses.filter((name) => Object.hasOwn(baselines, name))])];
}

/**
 * `model:<name>` stands for that model's own trainer, fitted on this run's rows: its served package may have seen the test rows.
 */
async function baselineOf(ports: Ports, spec: ModelSpec, name: string): Promise<Baseline> {
  if (!name.startsWith('model:')) {
    const { baselines } = taskOf(spec.task);
    const baseline = (baselines as Readonly<Record<string, { trainer: string; parameters: Json }>>)[name];
    if (baseline === undefined)
      throw new MlError('SpecInvalid', `task "${spec.task}" has no baseline "${name}": it has ${Object.keys(baselines).join(', ')}`);
    return { name, trainer: baseline.trainer, parameters: baseline.parameters as Baseline['parameters'] };
  }
  const model = name.slice('model:'.length);
  const { applied } = await ports.registry.state({ model, segment: allRows });
  if (applied === undefined) {
    throw new MlError('ModelUnknown', `"${spec.name}" must beat "${model}", which was never applied: run \`perennial apply\` first`, { model });
  }
  const [candidate] = candidates((await readJson<ModelSpec>(ports, applied.spec)).train);
  return { name: model, trainer: candidate!.trainer, parameters: candidate!.parameters };
}
