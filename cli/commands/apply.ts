import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import type { Json } from '../../core/artifact.ts';
import { differences } from '../../core/explain-cache.ts';
import type { Difference } from '../../core/explain-cache.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { allRows } from '../../core/segment.ts';
import { applySpec } from '../../registry/apply-spec.ts';
import { digestOf } from '../../stores/digest.ts';
import type { ScheduleChange, ScheduleSetting } from '../../client/index.ts';
import { styled } from '../output.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { plural, valueText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface ApplyFlags extends VerbOptions {
  readonly dryRun?: boolean;
}

/** How a model's spec differs from the one that was applied last. */
interface SpecChange {
  readonly change: 'create' | 'update' | 'keep';
  readonly differences: readonly Difference[];
}

interface ModelPlan {
  readonly model: string;
  readonly spec: SpecChange;
  /** `null` where Temporal is not reached, which only a dry run allows. */
  readonly schedule: ScheduleChange | null;
}

export function applyCommand(program: Command): void {
  verb(program, 'apply', "make the registry's specs and Temporal's schedules equal to this project's; shows the difference first", [
    'apply --dry-run',
    'apply',
  ])
    .option('--dry-run', 'show the difference, and change nothing')
    .action((flags: ApplyFlags) => perform(flags, (at) => apply(at, flags)));
}

async function apply(at: Workplace, { dryRun = false }: ApplyFlags): Promise<void> {
  const { specs } = await at.project();
  if (specs.size === 0) throw new MlError('ConfigInvalid', `there is no spec in ${at.settings.pipelines}: export one made with defineModel`);
  const reached = await (dryRun ? at.temporalIfThere() : at.temporal());
  const schedules = reached && (await import('../../client/index.ts'));
  const plans: ModelPlan[] = [];
  for (const spec of specs.values()) {
    const schedule = reached === undefined ? null : await schedules!.planSchedule(reached.client.temporal, reached.client.taskQueue, spec);
    plans.push({ model: spec.name, spec: await specChange(at, spec), schedule });
  }
  const orphans = reached === undefined ? [] : await schedulesWithoutSpec(reached.client.temporal.schedule, specs);
  // The difference is told before anything changes; with `--json` it is part of the result.
  if (!dryRun && !at.out.json) at.out.say(plans.map(planText).join('\n'));
  if (!dryRun) {
    const { registry, blobs } = await at.keptOrNew();
    // The spec first: a schedule trains by the one that was applied last.
    for (const spec of specs.values()) await applySpec(registry, blobs, spec, at.by);
    const { temporal, taskQueue } = reached!.client;
    for (const { schedule } of plans) await schedules!.applySchedule(temporal, taskQueue, schedule!);
    await schedules!.keepSweeping(temporal, taskQueue);
  }
  for (const orphan of orphans) at.out.say(`schedule ${orphan} has no spec in this project, and is left alone: another project may own it`);
  at.out.result({ applied: !dryRun, models: plans, schedulesWithoutSpec: orphans }, () =>
    dryRun ? `${plans.map(planText).join('\n')}\nnothing was changed` : doneText(plans),
  );
}

async function specChange(at: Workplace, spec: ModelSpec): Promise<SpecChange> {
  const { registry, blobs } = await at.keptOrNew();
  const { applied } = await registry.state({ model: spec.name, segment: allRows });
  if (applied === undefined) return { change: 'create', differences: [] };
  if (applied.spec.sha256 === digestOf(spec)) return { change: 'keep', differences: [] };
  const before = JSON.parse(Buffer.from(await blobs.readBytes(applied.spec.sha256)).toString('utf8')) as Json;
  return { change: 'update', differences: specDifferences(before, JSON.parse(JSON.stringify(spec)) as Json) };
}

/** Where two specs differ, by path. */
function specDifferences(before: Json, after: Json): Difference[] {
  const asProvenance = (parameters: Json) => ({ step: '', code: '', inputs: {}, environment: {}, parameters });
  return differences(asProvenance(before), asProvenance(after)).map((each) => ({ ...each, path: each.path.replace(/^parameters\.?/, '') }));
}

async function schedulesWithoutSpec(
  schedules: { list(): AsyncIterable<{ readonly scheduleId: string }> },
  specs: ReadonlyMap<string, ModelSpec>,
): Promise<string[]> {
  const orphans: string[] = [];
  for await (const { scheduleId } of schedules.list()) {
    if (scheduleId.startsWith('retrain/') && !specs.has(scheduleId.slice('retrain/'.length))) orphans.push(scheduleId);
  }
  return orphans;
}

const marks = { create: styled('green', '+'), update: styled('yellow', '~'), delete: styled('red', '-'), keep: ' ', none: ' ' } as const;

function planText({ model, spec, schedule }: ModelPlan): string {
  const changes = spec.differences.map(({ path, before, after }) => `    ${path}: ${valueText(before)} → ${valueText(after)}`);
  const specLine = `${marks[spec.change]} ${model}: spec ${spec.change === 'keep' ? 'as applied' : spec.change === 'create' ? 'is new' : 'changes'}`;
  return [specLine, ...changes, scheduleText(model, schedule)].join('\n');
}

function scheduleText(model: string, schedule: ScheduleChange | null): string {
  if (schedule === null) return `? ${model}: schedule unknown, since Temporal is not reached`;
  const line = (text: string) => `${marks[schedule.change]} ${model}: ${text}`;
  switch (schedule.change) {
    case 'none':
      return line('no schedule');
    case 'keep':
      return line(`schedule stays ${settingText(schedule.after)}`);
    case 'create':
      return line(`schedule ${settingText(schedule.after)}`);
    case 'update':
      return line(`schedule ${settingText(schedule.before!)} → ${settingText(schedule.after)}`);
    case 'delete':
      return line(`schedule ${settingText(schedule.before)} is deleted`);
  }
}

const settingText = ({ cron, overlap, catchUp }: ScheduleSetting): string => `"${cron}" (overlap ${overlap}, catch-up ${catchUp})`;

function doneText(plans: readonly ModelPlan[]): string {
  const specs = plans.filter(({ spec }) => spec.change !== 'keep').length;
  const schedules = plans.filter(({ schedule }) => schedule !== null && schedule.change !== 'keep' && schedule.change !== 'none').length;
  return specs + schedules === 0 ? 'all was as it should be' : `applied: ${plural(specs, 'spec')} and ${plural(schedules, 'schedule')} changed`;
}
