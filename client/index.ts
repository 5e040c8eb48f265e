export { clientOf, connect } from './client.ts';
export type { ConnectOptions, PerennialClient, TrainOptions } from './client.ts';
export type { Awaiting, Decided, Decider, Decisions } from './decisions.ts';
export { awaited, subjectOf } from '../core/registry.ts';
export type { RunHandle, RunNews } from './run-handle.ts';
export { applySchedule, keepSweeping, planSchedule, settingOf } from './schedules.ts';
export type { ScheduleChange, ScheduleSetting } from './schedules.ts';
export { asMlError } from './failure.ts';
export type * from '../core/run.ts';
