import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { workflowId } from '../core/ids.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { subjectOf } from '../workflows/search-attributes.ts';

/** What a schedule is to be, as far as a spec decides it. */
export interface ScheduleSetting {
  readonly cron: string;
  readonly overlap: 'skip' | 'buffer-one';
  readonly catchUp: string;
}

export type ScheduleChange =
  | { readonly model: string; readonly change: 'create' | 'update' | 'keep'; readonly before?: ScheduleSetting; readonly after: ScheduleSetting }
  | { readonly model: string; readonly change: 'delete'; readonly before: ScheduleSetting }
  | { readonly model: string; readonly change: 'none' };

const overlapPolicies = { skip: ScheduleOverlapPolicy.SKIP, 'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE } as const;

/** The schedule that a spec asks for: one a model, which fans out over segments. */
export function settingOf(spec: ModelSpec): ScheduleSetting | undefined {
  if (spec.retrain === undefined) return undefined;
  const { cron, overlap = 'skip', catchUp = '1d' } = spec.retrain;
  return { cron, overlap, catchUp };
}

/** How the schedule of a spec's model differs from what Temporal has. Changes nothing. */
export async function planSchedule(client: Client, spec: ModelSpec): Promise<ScheduleChange> {
  const model = spec.name;
  const [before, after] = [await currentSetting(client, model), settingOf(spec)];
  if (before === undefined) return after === undefined ? { model, change: 'none' } : { model, change: 'create', after };
  if (after === undefined) return { model, change: 'delete', before };
  const same = JSON.stringify(before) === JSON.stringify(after);
  return { model, change: same ? 'keep' : 'update', before, after };
}

/** Makes Temporal's schedule what the plan says. It holds no spec: `retrain` reads the one that was applied last. */
export async function applySchedule(client: Client, taskQueue: string, plan: ScheduleChange): Promise<void> {
  const scheduleId = workflowId.retrain(plan.model);
  if (plan.change === 'none' || plan.change === 'keep') return;
  if (plan.change === 'delete') return client.schedule.getHandle(scheduleId).delete();
  const options = scheduleOptions(plan.model, taskQueue, plan.after);
  if (plan.change === 'create') return void (await client.schedule.create({ ...options, scheduleId }));
  await client.schedule.getHandle(scheduleId).update((previous) => ({ ...options, state: { ...previous.state, ...options.state } }));
}

function scheduleOptions(model: string, taskQueue: string, setting: ScheduleSetting): Omit<ScheduleOptions, 'scheduleId'> {
  return {
    action: {
      type: 'startWorkflow',
      workflowType: 'retrain',
      workflowId: workflowId.retrain(model),
      taskQueue,
      args: [{ model }],
      staticSummary: `retrain ${model}`,
      typedSearchAttributes: subjectOf({ model, trigger: 'schedule' }),
    },
    spec: { cronExpressions: [setting.cron] },
    policies: { overlap: overlapPolicies[setting.overlap], catchupWindow: setting.catchUp as `${number}d` },
    // Temporal keeps a cron expression as calendars; what was asked for is kept here, for the next difference.
    state: { note: JSON.stringify(setting) },
  };
}

async function currentSetting(client: Client, model: string): Promise<ScheduleSetting | undefined> {
  try {
    const { state } = await client.schedule.getHandle(workflowId.retrain(model)).describe();
    return state.note === undefined ? undefined : (JSON.parse(state.note) as ScheduleSetting);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
