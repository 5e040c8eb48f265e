import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { canonical } from '../core/canonical.ts';
import { workflowId } from '../core/ids.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { retrainDefaults } from '../core/retrain-defaults.ts';
import { subjectOf } from '../workflows/search-attributes.ts';

/** What a schedule is to be, as far as a spec decides it. */
export interface ScheduleSetting {
  readonly cron: string;
  readonly overlap: 'skip' | 'buffer-one';
  readonly catchUp: string;
}

/** How the schedule that Temporal has differs from what the spec asks for. */
export type ScheduleChange =
  | { readonly model: string; readonly change: 'create' | 'update' | 'keep'; readonly before?: ScheduleSetting; readonly after: ScheduleSetting }
  | { readonly model: string; readonly change: 'delete'; readonly before: ScheduleSetting }
  | { readonly model: string; readonly change: 'none' };

const overlapPolicies = { skip: ScheduleOverlapPolicy.SKIP, 'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE } as const;

/** The schedule that a spec asks for: one a model, which fans out over segments. */
export function settingOf(spec: ModelSpec): ScheduleSetting | undefined {
  if (spec.retrain === undefined) return undefined;
  const { cron, overlap, catchUp } = { ...retrainDefaults, ...spec.retrain };
  return { cron, overlap, catchUp };
}

/** How the schedule of a spec's model differs from what Temporal has. Changes nothing. */
export async function planSchedule(client: Client, taskQueue: string, spec: ModelSpec): Promise<ScheduleChange> {
  const model = spec.name;
  const [current, after] = [await currentSchedule(client, model), settingOf(spec)];
  if (current === undefined) return after === undefined ? { model, change: 'none' } : { model, change: 'create', after };
  const { before } = current;
  if (after === undefined) return { model, change: 'delete', before };
  // A schedule that starts its runs where no worker of this project looks is another one, though it says the same.
  const same = current.taskQueue === taskQueue && canonical(before) === canonical(after);
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

/** Often enough that what a terminated run left is known soon, and seldom enough that the records of the sweeps themselves stay few. */
const sweepEvery = '15m';

/** Has closed runs archived from time to time, by the workers of this task queue. The same again changes nothing. */
export async function keepSweeping(client: Client, taskQueue: string): Promise<void> {
  const scheduleId = workflowId.sweepLineage();
  const options: Omit<ScheduleOptions, 'scheduleId'> = {
    action: {
      type: 'startWorkflow',
      workflowType: 'sweepLineage',
      workflowId: scheduleId,
      taskQueue,
      args: [{}],
      staticSummary: 'archive closed runs',
    },
    spec: { intervals: [{ every: sweepEvery }] },
    // One sweep finds all that the missed ones would have.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
  };
  try {
    await client.schedule.create({ ...options, scheduleId });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((previous) => ({ ...options, state: previous.state }));
  }
}

async function currentSchedule(client: Client, model: string): Promise<{ readonly before: ScheduleSetting; readonly taskQueue: string } | undefined> {
  try {
    const { state, action } = await client.schedule.getHandle(workflowId.retrain(model)).describe();
    return state.note === undefined ? undefined : { before: JSON.parse(state.note) as ScheduleSetting, taskQueue: action.taskQueue };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
