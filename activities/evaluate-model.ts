import type { Artifact } from '../core/artifact.ts';
import { evaluate } from '../core/evaluate.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Marks } from '../core/task.ts';
import { taskOf } from '../core/tasks/index.ts';
import { makeJson, readJson } from './make.ts';
import { metricOf } from './metric-of.ts';
import type { Ports, Step } from './ports.ts';

export interface EvaluateModelInput {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly folds: readonly string[];
  /** By contender: its marks, one artifact per fold. `challenger` is the model in question. */
  readonly contenders: Readonly<Record<string, readonly Artifact<'predictions'>[]>>;
  readonly rowsLeftOut: number;
}

/** Compare all contenders on the same units: metrics with intervals, slices, and the paired gains of the challenger. */
export const evaluateModel =
  (ports: Ports): Step<EvaluateModelInput, Artifact<'evaluation'>> =>
  async ({ spec, segment, folds, contenders, rowsLeftOut }, context) => {
    const question = { model: spec.name, segment, metric: metricOf(spec), confidence: spec.gate?.confidence ?? 0.95, folds: [...folds], rowsLeftOut };
    const named = Object.entries(contenders).flatMap(([name, marks]) => marks.map((each, fold) => [`${name}/${fold}`, each.sha256] as const));
    return makeJson(
      ports,
      context,
      'evaluation',
      {
        step: 'evaluateModel',
        code: ['core/evaluate', `core/tasks/${spec.task}`],
        inputs: Object.fromEntries(named),
        parameters: { ...question, task: spec.task },
      },
      async () => {
        const marks = await Promise.all(
          Object.entries(contenders).map(
            async ([name, artifacts]) => [name, await Promise.all(artifacts.map((each) => readJson<Marks>(ports, each)))] as const,
          ),
        );
        return evaluate({ ...question, task: taskOf(spec.task), contenders: Object.fromEntries(marks) });
      },
    );
  };
