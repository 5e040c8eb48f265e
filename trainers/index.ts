import { MlError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { Trainer, TrainerName } from '../core/trainer.ts';
import { blend } from './blend.ts';
import { bpr } from './bpr.ts';
import { constant } from './constant.ts';
import { ease } from './ease.ts';
import { gbdt } from './gbdt.ts';
import { implicitAls } from './implicit-als.ts';
import { itemKnn } from './item-knn.ts';
import { linear } from './linear.ts';
import { oneFeature } from './one-feature.ts';
import { popularity } from './popularity.ts';
import { python } from './python.ts';
import { randomOrder } from './random.ts';
import { ratedAtLeast } from './rated-at-least.ts';
import { recentPopularity } from './recent-popularity.ts';
import { topRated } from './top-rated.ts';

// The parameters that each adds to `TrainerParameters` reach whoever uses the package only through an import that the declarations keep.
export type {} from './blend.ts';
export type {} from './bpr.ts';
export type {} from './constant.ts';
export type {} from './ease.ts';
export type {} from './gbdt.ts';
export type {} from './implicit-als.ts';
export type {} from './item-knn.ts';
export type {} from './linear.ts';
export type {} from './one-feature.ts';
export type {} from './popularity.ts';
export type {} from './python.ts';
export type {} from './random.ts';
export type {} from './rated-at-least.ts';
export type {} from './recent-popularity.ts';
export type {} from './top-rated.ts';

/** Every trainer, by the name that a spec gives it. */
export const trainers = {
  random: randomOrder,
  popularity,
  'recent-popularity': recentPopularity,
  'top-rated': topRated,
  'rated-at-least': ratedAtLeast,
  'item-knn': itemKnn,
  ease,
  gbdt,
  'implicit-als': implicitAls,
  bpr,
  blend,
  constant,
  'one-feature': oneFeature,
  linear,
  python,
} as const satisfies Record<TrainerName, Trainer>;

/** @throws {MlError} `TrainerUnknown` with the name that was probably meant. */
export function trainerNamed(name: string): Trainer {
  if (isTrainer(name)) return trainers[name];
  const meant = nearest(name, Object.keys(trainers));
  throw new MlError(
    'TrainerUnknown',
    `no trainer is named "${name}"${meant ? ` (did you mean "${meant}"?)` : ''}: use one of ${Object.keys(trainers).join(', ')}`,
    { name },
  );
}

const isTrainer = (name: string): name is TrainerName => Object.hasOwn(trainers, name);
