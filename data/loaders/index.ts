import { MlError } from '../../core/errors.ts';
import type { TaskKind } from '../../core/task.ts';
import type { RowLoader } from './loader.ts';
import { binary } from './binary.ts';
import { multiclass } from './multiclass.ts';
import { recommendation } from './recommendation.ts';
import { regression } from './regression.ts';

/** How rows are encoded, by kind of task. */
export const loaders: { readonly [K in TaskKind]: RowLoader<K> } = { binary, multiclass, recommendation, regression };

/** @throws {MlError} `TaskUnknown` */
export function loaderOf<K extends TaskKind>(kind: K): RowLoader<K> {
  if (Object.hasOwn(loaders, kind)) return loaders[kind];
  throw new MlError('TaskUnknown', `rows of task "${kind}" cannot be encoded: use one of ${Object.keys(loaders).join(', ')}`, { kind });
}
