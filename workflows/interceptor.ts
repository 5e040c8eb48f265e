import {
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  log,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { WorkflowInboundCallsInterceptor, WorkflowInterceptors, WorkflowOutboundCallsInterceptor } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { MlError } from '../core/errors.ts';
import { asFailure } from './coded-error.ts';
import { progressQuery, runLog } from './progress.ts';
import { steps } from './steps.ts';

const outcomeKey = defineSearchAttributeKey('MlOutcome', 'KEYWORD');

/** Steps that belong to the runtime, not to the story of a run. */
const silent = new Set(['archiveRun']);

const inbound: WorkflowInboundCallsInterceptor = {
  async execute(input, next) {
    setHandler(progressQuery, () => runLog.progress);
    let outcome = 'completed';
    try {
      const result = await next(input);
      outcome = outcomeOf(result) ?? outcome;
      return result;
    } catch (error) {
      outcome = isCancellation(error) ? 'cancelled' : error instanceof ContinueAsNew ? 'continued' : 'failed';
      throw error instanceof MlError ? asFailure(error) : error;
    } finally {
      await CancellationScope.nonCancellable(() => leaveRecord(outcome));
    }
  },
};

/** A run's history and outcome outlive Temporal's retention. The sweeper completes them after the close; if this fails, it does all of it. */
async function leaveRecord(outcome: string): Promise<void> {
  const { workflowId, runId, workflowType } = workflowInfo();
  try {
    upsertSearchAttributes([{ key: outcomeKey, value: outcome }]);
    await steps.archiveRun({ workflowId, runId, workflowType, outcome });
  } catch (error) {
    log.warn('run not archived; the sweeper will', { runId, error: String(error) });
  }
}

function outcomeOf(result: unknown): string | undefined {
  return typeof result === 'object' && result !== null && 'outcome' in result && typeof result.outcome === 'string' ? result.outcome : undefined;
}

const outbound: WorkflowOutboundCallsInterceptor = {
  async scheduleActivity(input, next) {
    if (silent.has(input.activityType)) return next(input);
    const index = runLog.start(input.activityType, input.options.summary ?? '');
    try {
      const result = await next(input);
      runLog.end(index, 'done');
      return result;
    } catch (error) {
      runLog.end(index, 'failed');
      throw error;
    }
  },
};

/** In every bundle, ours and users': coded errors, progress, and the record that every run leaves. */
export const interceptors = (): WorkflowInterceptors => ({ inbound: [inbound], outbound: [outbound] });
