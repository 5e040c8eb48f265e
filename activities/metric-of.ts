import type { ModelSpec } from '../core/model-spec.ts';
import { taskOf } from '../core/tasks/index.ts';

/** The metric that choices and the gate go by. */
export function metricOf(spec: ModelSpec): string {
  return spec.gate?.metric ?? taskOf(spec.task).gate.metric;
}
