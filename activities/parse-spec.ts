import type { ModelSpec } from '../core/model-spec.ts';
import { parseSpec } from '../core/spec-schema.ts';
import { tasks } from '../core/tasks/index.ts';
import { trainers } from '../trainers/index.ts';

/** Parses a spec against the task kinds and trainers that this worker has. */
export function parseProjectSpec(value: unknown): ModelSpec {
  return parseSpec(value, {
    tasks,
    trainers: Object.fromEntries(Object.entries(trainers).map(([name, trainer]) => [name, trainer.parameters])),
  });
}
