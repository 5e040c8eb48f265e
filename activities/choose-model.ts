import type { Artifact, Json } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Metric } from '../core/task.ts';
import { taskOf } from '../core/tasks/index.ts';
import { metricOf } from './metric-of.ts';
import type { Ports, Step } from './ports.ts';

export interface ValidatedCandidate {
  readonly trainer: string;
  readonly parameters: { readonly [name: string]: Json };
  readonly validation: number | null;
  readonly model: Artifact<'model'>;
}

/** The candidate that is best on the validation rows; the earlier one on a tie, so that the spec's order decides. */
export const chooseModel =
  (_: Ports): Step<{ readonly spec: ModelSpec; readonly candidates: readonly ValidatedCandidate[] }, { readonly best: number }> =>
  async ({ spec, candidates }) => {
    const metric = metricOf(spec);
    const { better } = (taskOf(spec.task).metrics as Readonly<Record<string, Metric>>)[metric]!;
    const worth = ({ validation }: ValidatedCandidate) => (validation === null ? -Infinity : better === 'higher' ? validation : -validation);
    const [first] = candidates;
    if (first === undefined) throw new MlError('SpecInvalid', `"${spec.name}" trains nothing: give \`train\` at least one trainer`);
    const best = candidates.reduce((winner, candidate) => (worth(candidate) > worth(winner) ? candidate : winner), first);
    return { best: candidates.indexOf(best) };
  };
