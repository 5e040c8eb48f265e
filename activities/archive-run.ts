import type { Run } from '../core/artifact.ts';
import type { Ports, Step } from './ports.ts';

/** Keep the history so far, as replayable JSON, with the outcome. The last activity of a run cannot see its close: the sweeper completes it. */
export const archiveRun =
  (ports: Ports): Step<Run & { readonly outcome: string }, { readonly lastEvent: number }> =>
  async ({ workflowId, runId, workflowType, outcome }) => {
    const { json, lastEvent } = await ports.histories.fetch(workflowId, runId);
    await ports.runs.archive({ workflowId, runId, workflowType, outcome, closed: false, lastEvent, history: Buffer.from(json) });
    return { lastEvent };
  };
