/**
 * Workflow ids name the subject and hold no time: starting the same thing twice attaches to the running one. They are meant to be read in the
 * Temporal web UI.
 */
export const workflowId = {
  train: (model: string, segment: string) => `train/${model}/${segment}`,
  deploy: (model: string, segment: string) => `deploy/${model}/${segment}`,
  decide: (model: string, segment: string, version: number) => `decide/${model}/${segment}/v${version}`,
  backfill: (model: string) => `backfill/${model}`,
  retrain: (model: string) => `retrain/${model}`,
  sweepLineage: () => 'sweep-lineage',
} as const;

/** The log that a run is about, where its id names one: `train/<model>/<segment>`, `deploy/<model>/<segment>` and their kind. */
export function placeOf(id: string): { readonly model: string; readonly segment: string } | undefined {
  const [, model, segment] = /^[a-z-]+\/([a-z0-9][a-z0-9-]*)\/([a-z0-9][a-z0-9._=-]*)(?:\/|$)/.exec(id) ?? [];
  return model === undefined || segment === undefined ? undefined : { model, segment };
}

export const defaultTaskQueue = 'perennial';

/** What a worker does: `control` waits and writes little, `compute` trains and reads much, `gpu` trains on an accelerator. One task queue each. */
export type Role = 'control' | 'compute' | 'gpu';

export function taskQueue(base: string, role: Role): string {
  return role === 'control' ? base : `${base}-${role}`;
}
