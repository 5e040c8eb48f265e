import { MlError } from '../errors.ts';
import type { Task, TaskKind } from '../task.ts';
import { recommendation } from './recommendation.ts';

// What each adds to `TaskTypes` reaches whoever uses the package only through an import that the declarations keep.
export type {} from './recommendation.ts';

/** Every kind of learning task. Shared code looks a kind up here and never lists kinds itself. */
export const tasks: { readonly [K in TaskKind]: Task<K> } = { recommendation };

/** @throws {MlError} `TaskUnknown` */
export function taskOf<K extends TaskKind>(kind: K): Task<K> {
  if (Object.hasOwn(tasks, kind)) return tasks[kind];
  throw new MlError('TaskUnknown', `there is no task "${kind}": use one of ${Object.keys(tasks).join(', ')}`, { kind });
}
