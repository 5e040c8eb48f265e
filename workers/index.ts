/** `perennial-ml/worker`: a worker in a process of your own, which polls a Temporal server that is there already. */
export { startWorker } from './worker.ts';
export type { RunningWorker, WorkerOptions } from './worker.ts';
export { ensureSearchAttributes } from './temporal-namespace.ts';
export { cipherOf } from './encryption.ts';
export { loadSettings } from './config.ts';
export type { Settings, TemporalSettings } from './config.ts';
export { loadProject } from './project.ts';
export type { Project } from './project.ts';
