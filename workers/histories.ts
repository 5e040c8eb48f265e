import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { ClosedRun, Histories } from '../activities/ports.ts';

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
        yield { workflowId: run.workflowId, runId: run.runId, workflowType: run.type, outcome: run.status.name.toLowerCase(), lastEvent: run.historyLength };
      }
    },
  };
}
