import { join } from 'node:path';
import type { Settings } from './config.ts';
import type { Project } from './project.ts';
import type { WorkerOptions } from './worker.ts';

/** What a project says to each of its workers, wherever they run. */
export function workerSettings(settings: Settings, project: Project): Omit<WorkerOptions, 'connection' | 'around'> {
  return {
    ...settings.worker,
    namespace: settings.temporal.namespace,
    taskQueue: settings.taskQueue,
    store: settings.store,
    workFolder: join(settings.home, 'work'),
    connections: settings.connections,
    security: settings.security,
    ...(settings.openLineage && { openLineage: settings.openLineage }),
    workflowModules: project.workflowModules,
    stepModules: project.stepModules,
    trainScripts: project.trainScripts,
  };
}
