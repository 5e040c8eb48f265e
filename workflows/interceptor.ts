import { CancellationScope, ContinueAsNew, isCancellation, log, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { WorkflowInboundCallsInterceptor, WorkflowInterceptors, WorkflowOutboundCallsInterceptor } from '@temporalio/workflow';
import type { Json } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import { runtimeSteps } from '../core/run.ts';
import type { RunStatus } from '../registry/runs.ts';
import { asFailure, faultOf, withoutInput } from './coded-error.ts';
import { guardPayload, withSubject } from './payload-guard.ts';
import { progressQuery, runLog } from './progress.ts';
import { searchKeys } from './search-attributes.ts';
import { steps } from './steps.ts';

const inbound: WorkflowInboundCallsInterceptor = {
  async execute(input, next) {
    setHandler(progressQuery, () => runLog.progress);
    let outcome: RunStatus = { status: 'completed' };
    try {
      const result = await next(input);
      guardPayload(result, 'the result of the workflow');
      outcome = { status: 'completed', result: result as Json };
      return result;
    } catch (thrown) {
      const error = withoutInput(workflowInfo().workflowType, input.args[0], thrown) ?? thrown;
      outcome = isCancellation(error)
        ? { status: 'cancelled' }
        : error instanceof ContinueAsNew
          ? { status: 'continued' }
          : { status: 'failed', error: faultOf(error) };
      throw error instanceof MlError ? asFailure(error) : error;
    } finally {
      await CancellationScope.nonCancellable(() => leaveRecord(outcome));
    }
  },
  async handleUpdate(input, next) {
    try {
      const result = await next(input);
      guardPayload(result, `the answer to update "${input.name}"`);
      return result;
    } catch (error) {
      throw error instanceof MlError ? asFailure(error) : error;
    }
  },
};

/** A run's history and outcome outlive Temporal's retention. The sweeper completes them after the close; if this fails, it does all of it. */
async function leaveRecord(outcome: RunStatus): Promise<void> {
  const { workflowId, runId, workflowType, startTime } = workflowInfo();
  try {
    upsertSearchAttributes([{ key: searchKeys.outcome, value: nameOf(outcome) }]);
    await steps.archiveRun({ workflowId, runId, workflowType, outcome, startedAt: startTime.toISOString() });
  } catch (error) {
    log.warn('run not archived; the sweeper will', { runId, error: String(error) });
  }
}

/** What `MlOutcome` says: a business outcome such as `promoted` where the workflow has one. */
function nameOf({ status, result }: RunStatus): string {
  return typeof result === 'object' && result !== null && 'outcome' in result && typeof result.outcome === 'string' ? result.outcome : status;
}

const outbound: WorkflowOutboundCallsInterceptor = {
  async scheduleActivity(input, next) {
    if (runtimeSteps.has(input.activityType)) return next(input);
    const index = runLog.start(input.activityType, input.options.summary ?? '');
    try {
      const result = await next(input);
      runLog.end(index, 'done');
      return result;
    } catch (error) {
      runLog.end(index, 'failed');
      throw withSubject(error, `the input of step "${input.activityType}"`);
    }
  },
  scheduleLocalActivity: (input, next) => named(next(input), `the input of step "${input.activityType}"`),
  startChildWorkflowExecution: (input, next) => named(next(input), `the input of workflow "${input.workflowType}"`),
  signalWorkflow: (input, next) => named(next(input), `signal "${input.signalName}"`),
};

const named = <T>(sending: Promise<T>, subject: string): Promise<T> =>
  sending.catch((error: unknown) => {
    throw withSubject(error, subject);
  });

/** In every bundle, ours and users': coded errors, progress, and the record that every run leaves. */
export const interceptors = (): WorkflowInterceptors => ({ inbound: [inbound], outbound: [outbound] });
