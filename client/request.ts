import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { canonical } from '../core/canonical.ts';
import type { BackfillRequest, TrainRequest } from '../core/run.ts';
import { allRows } from '../core/segment.ts';

/** What a run was asked for, by its first event. */
export async function requestOf(client: Client, workflowId: string, runId: string): Promise<object> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [request = {}] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  return request as object;
}

/** Whether two requests ask for the same. Who asks and why does not matter, nor how far a continued backfill is. */
export const sameRequest = (a: object, b: object): boolean => canonical(asked(a)) === canonical(asked(b));

function asked(request: object): object {
  const { by: _by, trigger: _trigger, cursor: _cursor, ...rest } = request as Partial<TrainRequest & BackfillRequest>;
  // A training without a segment is one of all rows; other requests have none.
  return 'spec' in rest && !('segments' in rest) ? { ...rest, segment: rest.segment ?? allRows } : rest;
}
