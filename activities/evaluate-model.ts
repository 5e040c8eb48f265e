import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { finishOf } from '../core/finish.ts';
import { callOf, makeJson } from './make.ts';
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
    const asked = finishOf(spec);
    const named = Object.entries(contenders).flatMap(([name, marks]) => marks.map((each, fold) => [`${name}/${fold}`, each.sha256] as const));
    return makeJson(
      ports,
      context,
      'evaluation',
      {
        step: 'evaluateModel',
        code: ['core/evaluate', 'core/finish', `core/tasks/${spec.task}`],
        inputs: Object.fromEntries(named),
        parameters: { ...question, task: spec.task, ...(asked && { asked: asked as Json }) },
      },
      async () => {
        const marks: Record<string, readonly string[]> = {};
        for (const [name, artifacts] of Object.entries(contenders)) {
          marks[name] = await Promise.all(artifacts.map((each) => ports.blobs.open(each.sha256, callOf(context))));
        }
        const input = { ...question, task: spec.task, asked: asked ?? {}, contenders: marks };
        return ports.compute.run('evaluate', input, { signal: context.signal, onProgress: context.heartbeat });
      },
    );
  };
