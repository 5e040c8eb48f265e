import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Steps } from '../activities/index.ts';
import { taskQueue } from '../core/ids.ts';
import { policies } from './policies.ts';

/** The task queue of the control role, whichever role's queue this workflow was started on. */
function baseQueue(): string {
  return workflowInfo().taskQueue;
}

/**
 * The steps with other activity options, say a longer time-out: `stepsWith({ startToCloseTimeout: '2 days' }).trainModel(…)`.
 */
export function stepsWith(overrides: ActivityOptions): Steps {
  // Resolved inside the call: `workflowInfo()` throws at a module's top.
  return new Proxy({} as Steps, {
    get: (_, name: string) => {
      if (!(name in policies)) return undefined;
      return (input: never) => {
        const policy = policies[name as keyof Steps] as (typeof policies)[keyof Steps];
        const proxy = proxyActivities<Record<string, (input: unknown) => Promise<unknown>>>({
          taskQueue: taskQueue(baseQueue(), policy.role),
          ...policy.options,
          summary: policy.summary(input).slice(0, 190),
          ...overrides,
        });
        return proxy[name]!(input);
      };
    },
  });
}

/** Every step of a pipeline, callable from a workflow: what `train` is made of, and your own workflows too. */
export const steps: Steps = stepsWith({});
