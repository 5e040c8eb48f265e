import type { Approval } from '../core/decision.ts';
import type { Evaluation } from '../core/evaluation.ts';
import { approvalFor } from '../core/gate.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { resolveVersion } from '../core/registry.ts';
import type { RegisteredVersion, Verdict } from '../core/registry-entry.ts';
import { allRows } from '../core/segment.ts';
import { readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';

export interface RegisterInput {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly registered: Omit<RegisteredVersion, 'metrics' | 'baselines'>;
  readonly verdict: Verdict;
  readonly against: number | null;
  readonly by: string;
}

export interface Registration {
  readonly version: number;
  /** Who must agree before it may be promoted; absent where nobody must, or it is decided already. */
  readonly approval?: Approval;
}

/**
 * Append the version and how it was judged to the registry log. A package that is there already keeps its version; the judgement carries its own
 * evaluation and report, so the version shows those of the last one.
 */
export const register =
  (ports: Ports): Step<RegisterInput, Registration> =>
  async ({ spec, segment, registered, verdict, against, by }, context) => {
    const who = { by, run: context.run };
    const { metrics, baselines } = summarise(await readJson<Evaluation>(ports, registered.evaluation));
    const { evaluation, report } = registered;
    const place = { model: spec.name, segment };
    const { version } = await ports.registry.register(place, { ...registered, metrics, baselines }, who);
    const isDecided = resolveVersion(await ports.registry.state(place), version)?.ruling !== undefined;
    const approval = isDecided ? null : approvalFor(await approvalOf(ports, spec), verdict.name);
    const needs = approval === null ? {} : { approval };
    await ports.registry.judged(place, { version, verdict, against, exam: { evaluation, report, metrics, baselines }, ...needs }, who);
    return { version, ...needs };
  };

/** A spec of somebody's own can ask for an approval, but neither do away with the one that the applied spec asks for nor make it easier. */
async function approvalOf(ports: Ports, spec: ModelSpec): Promise<ModelSpec['approval']> {
  const { applied } = await ports.registry.state({ model: spec.name, segment: allRows });
  const asked = applied && (await readJson<ModelSpec>(ports, applied.spec)).approval;
  return typeof asked === 'object' ? asked : spec.approval;
}

function summarise(evaluation: Evaluation): Pick<RegisteredVersion, 'metrics' | 'baselines'> {
  const values = Object.entries(evaluation.contenders).map(
    ([name, { metrics }]) => [name, Object.fromEntries(Object.entries(metrics).map(([metric, { value }]) => [metric, value]))] as const,
  );
  const { challenger = {}, ...baselines } = Object.fromEntries(values);
  return { metrics: challenger, baselines };
}
