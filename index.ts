/** `perennial-ml`: what a pipeline and a project's configuration are written with. */
export { defineModel } from './core/model-spec.ts';
export { defineConfig } from './core/config.ts';
export { MlError } from './core/errors.ts';
export type * from './core/model-spec.ts';
export type * from './core/run.ts';
export type { Progress, StepContext } from './core/step-context.ts';
export type { Window } from './core/manifest.ts';
export type { Verdict, Gain, SegmentState } from './core/registry-entry.ts';
export type { Trainer, TrainerParameters, TrainingContext, Fitted } from './core/trainer.ts';
export type { Task, TaskTypes } from './core/task.ts';
// The built-in kinds of task and trainers add their types by declaration merging.
export type {} from './core/tasks/index.ts';
export type {} from './trainers/index.ts';
