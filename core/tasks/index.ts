import { MlError } from '../errors.ts';
import type { Task, TaskKind } from '../task.ts';
import { binary } from './binary.ts';
import { multiclass } from './multiclass.ts';
import { recommendation } from './recommendation.ts';
import { regression } from './regression.ts';

// What each adds to `TaskTypes` reaches whoever uses the package only through an import that the declarations keep.
export type {} from './binary.ts';
export type {} from './multiclass.ts';
export type {} from './recommendation.ts';
export type {} from './regression.ts';

/** Every kind of learning task. Shared code looks a kind up here and never lists kinds itself. */
export const tasks: { readonly [K in TaskKind]: Task<K> } = { binary, multiclass, recommendation, regression };

/** @throws {MlError} `TaskUnknown` */
export function taskOf<K extends TaskKind>(kind: K): Task<K> {
  if (Object.hasOwn(tasks, kind)) return tasks[kind];
  throw new MlError('TaskUnknown', `there is no task "${kind}": use one of ${Object.keys(tasks).join(', ')}`, { kind });
}
