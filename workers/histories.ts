import type { Client, WorkflowExecutionStatusName } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { ClosedRun, Histories } from '../activities/ports.ts';

const statuses = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
  CONTINUED_AS_NEW: 'continued',
  RUNNING: 'running',
  PAUSED: 'running',
  UNSPECIFIED: 'running',
  UNKNOWN: 'running',
} as const satisfies Record<WorkflowExecutionStatusName, ClosedRun['status']>;

/** How Temporal calls a run's state, in our words. */
export const statusOf = (name: WorkflowExecutionStatusName): ClosedRun['status'] => statuses[name];

/** The histories of one task queue's workflows, as Temporal holds them. Payloads stay as they are encoded. */
export function openHistories(client: Client, taskQueue: string): Histories {
  return {
    async fetch(workflowId, runId) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      return { json: historyToJSON(history), lastEvent: Number(history.events?.at(-1)?.eventId ?? 0) };
    },
    async *closed(signal): AsyncGenerator<ClosedRun> {
      for await (const run of client.workflow.list({ query: `TaskQueue = "${taskQueue}" AND ExecutionStatus != "Running"` })) {
        signal.throwIfAborted();
        const { workflowId, runId, type, status, startTime, closeTime = startTime } = run;
        yield {
          workflowId,
          runId,
          workflowType: type,
          status: statusOf(status.name),
          startedAt: startTime.toISOString(),
          closedAt: closeTime.toISOString(),
        };
      }
    },
  };
}
