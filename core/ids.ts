/**
 * Workflow ids name the subject and hold no time: starting the same thing twice attaches to the running one. They are meant to be read in the
 * Temporal web UI.
 */
export const workflowId = {
  train: (model: string, segment: string) => `train/${model}/${segment}`,
  deploy: (model: string, segment: string) => `deploy/${model}/${segment}`,
  backfill: (model: string) => `backfill/${model}`,
  retrain: (model: string) => `retrain/${model}`,
  sweepLineage: () => 'sweep-lineage',
} as const;

export const defaultTaskQueue = 'perennial';

/** What a worker does: `control` waits and writes little, `compute` trains and reads much, `gpu` trains on an accelerator. One task queue each. */
export type Role = 'control' | 'compute' | 'gpu';

export function taskQueue(base: string, role: Role): string {
  return role === 'control' ? base : `${base}-${role}`;
}
