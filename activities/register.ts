import type { Evaluation } from '../core/evaluation.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { RegisteredVersion, Verdict } from '../core/registry-entry.ts';
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

/**
 * Append the version and how it was judged to the registry log. A package that is there already keeps its version; the judgement carries its own
 * evaluation and report, so the version shows those of the last one.
 */
export const register =
  (ports: Ports): Step<RegisterInput, { readonly version: number }> =>
  async ({ spec, segment, registered, verdict, against, by }, context) => {
    const who = { by, run: context.run };
    const { metrics, baselines } = summarise(await readJson<Evaluation>(ports, registered.evaluation));
    const { evaluation, report } = registered;
    const place = { model: spec.name, segment };
    const { version } = await ports.registry.register(place, { ...registered, metrics, baselines }, who);
    await ports.registry.judged(place, { version, verdict, against, exam: { evaluation, report, metrics, baselines } }, who);
    return { version };
  };

function summarise(evaluation: Evaluation): Pick<RegisteredVersion, 'metrics' | 'baselines'> {
  const values = Object.entries(evaluation.contenders).map(
    ([name, { metrics }]) => [name, Object.fromEntries(Object.entries(metrics).map(([metric, { value }]) => [metric, value]))] as const,
  );
  const { challenger = {}, ...baselines } = Object.fromEntries(values);
  return { metrics: challenger, baselines };
}
