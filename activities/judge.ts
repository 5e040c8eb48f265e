import type { Artifact } from '../core/artifact.ts';
import type { Evaluation } from '../core/evaluation.ts';
import { judge as decide } from '../core/gate.ts';
import type { Gate } from '../core/gate.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Verdict } from '../core/registry-entry.ts';
import type { Metric } from '../core/task.ts';
import { taskOf } from '../core/tasks/index.ts';
import type { Benchmark } from './benchmark-model.ts';
import type { Contenders } from './find-contenders.ts';
import { readJson } from './make.ts';
import { metricOf } from './metric-of.ts';
import type { Ports, Step } from './ports.ts';

export interface JudgeInput {
  readonly spec: ModelSpec;
  readonly evaluation: Artifact<'evaluation'>;
  readonly benchmark: Benchmark;
  readonly contenders: Contenders;
}

/** With fewer units there is no comparison with a champion, however many rows each has. (Too few rows that it has not seen excuse it beforehand.) */
const minUnits = 20;

/** Apply the gate. The rule is pure and may change without breaking running workflows, which branch on the recorded verdict. */
export const judge =
  (ports: Ports): Step<JudgeInput, Verdict> =>
  async ({ spec, evaluation, benchmark, contenders }) => {
    const evaluated = await readJson<Evaluation>(ports, evaluation);
    return decide(evaluated, gateOf(spec), {
      sizeBytes: benchmark.sizeBytes,
      p99Ms: benchmark.p99Ms,
      champion: contenders.champion?.version ?? null,
      // Who could not sit the exam fairly did not sit it.
      anchor: 'anchor' in evaluated.contenders ? (contenders.anchor?.version ?? null) : null,
      fallback: contenders.fallback
        ? { version: contenders.fallback.version, sat: evaluated.units >= minUnits && 'fallback' in evaluated.contenders }
        : null,
      comparable: evaluated.units >= minUnits && 'champion' in evaluated.contenders,
      lowerIsBetter: isLowerBetter(spec),
    });
  };

/** The spec's gate, or the task's own. Baselines are called as the evaluation calls them. */
export function gateOf({ task, gate }: ModelSpec): Gate {
  const own = taskOf(task).gate;
  const baselines = (gate?.baselines ?? own.baselines).map((name) => name.replace(/^model:/, '')) as NonNullable<Gate['baselines']>;
  return { ...own, ...gate, baselines };
}

export function isLowerBetter(spec: ModelSpec): boolean {
  const { metrics } = taskOf(spec.task);
  return (metrics as Readonly<Record<string, Metric>>)[metricOf(spec)]?.better === 'lower';
}
