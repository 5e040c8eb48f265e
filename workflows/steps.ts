import { proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Steps } from '../activities/index.ts';
import { taskQueue } from '../core/ids.ts';
import type { Role } from '../core/ids.ts';
import type { StepContext } from '../core/step-context.ts';
import { own, policies } from './policies.ts';

/** How a step is called: Temporal's options, and which worker does it. */
export interface StepOptions extends ActivityOptions {
  /** Whose queue it waits in. On `gpu`, only workers with that role take it, one at a time each. */
  readonly role?: Role;
}

/**
 * The steps with other options, say a longer time-out or another role: `stepsWith({ role: 'gpu', startToCloseTimeout: '2 days' }).trainModel(…)`.
 */
export function stepsWith(overrides: StepOptions): Steps {
  return calls((name) => {
    if (!(name in policies)) return undefined;
    return (input) => {
      const policy = policies[name as keyof Steps] as (typeof policies)[keyof Steps];
      const { role = policy.role, ...options } = overrides;
      return onQueue(name, input, role, { ...policy.options, summary: policy.summary(input as never).slice(0, 190), ...options });
    };
  }) as unknown as Steps;
}

/** Every step of a pipeline, callable from a workflow: what `train` is made of, and your own workflows too. */
export const steps: Steps = stepsWith({});

/** A module of steps as a workflow sees it: plain input to plain output. */
export type StepsOf<Module> = {
  readonly [S in keyof Module as Module[S] extends (input: never, context: StepContext) => Promise<unknown> ? S : never]: Module[S] extends (
    ...given: infer Given
  ) => Promise<infer Output>
    ? Given extends [unknown, ...unknown[]]
      ? (input: Given[0]) => Promise<Output>
      : () => Promise<Output>
    : never;
};

export interface OwnStepOptions extends StepOptions {
  /**
   * Done by the worker that runs the workflow, at once and without a queue: a few milliseconds instead of fifteen. For steps of well under a second,
   * which a killed worker does again; neither a role nor a heartbeat applies, and the history has a marker in place of its two events.
   */
  readonly light?: boolean;
}

/**
 * A project's own steps, the exported functions of a `*.steps.ts`, typed by it:
 *
 *     import type * as own from './news.steps.ts';
 *     const { tellEditors } = stepsFor<typeof own>();
 */
export function stepsFor<Module>({ role = 'control', light = false, ...options }: OwnStepOptions = {}): StepsOf<Module> {
  return calls((name) => (input) => {
    if (!light) return onQueue(name, input, role, { ...own, ...options });
    const { startToCloseTimeout = '10 seconds', retry = own.retry } = options;
    return proxyLocalActivities<Activities>({ startToCloseTimeout, retry })[name]!(input);
  }) as unknown as StepsOf<Module>;
}

type Call = (input: unknown) => Promise<unknown>;
type Activities = Record<string, Call>;

/** Resolved inside the call: `workflowInfo()` throws at a module's top. */
function calls(resolve: (name: string) => Call | undefined): object {
  // What is awaited or printed is asked for `then` and symbols, which are no steps.
  return new Proxy({}, { get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : resolve(name)) });
}

/** A workflow always runs on the queue of the control role. */
function onQueue(name: string, input: unknown, role: Role, options: ActivityOptions): Promise<unknown> {
  return proxyActivities<Activities>({ taskQueue: taskQueue(workflowInfo().taskQueue, role), ...options })[name]!(input);
}
