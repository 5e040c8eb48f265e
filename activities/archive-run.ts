import type { Run } from '../core/artifact.ts';
import type { RunStatus } from '../registry/runs.ts';
import type { Ports, Step } from './ports.ts';

export interface ArchiveRunInput extends Run {
  readonly outcome: RunStatus;
  readonly startedAt: string;
}

/** Keep the history so far, as replayable JSON, with the outcome. The last activity of a run cannot see its close: the sweeper completes it. */
export const archiveRun =
  (ports: Ports): Step<ArchiveRunInput, { readonly lastEvent: number }> =>
  async (run) => {
    const { json, lastEvent } = await ports.histories.fetch(run.workflowId, run.runId);
    await ports.runs.archive({ ...run, lastEvent, history: Buffer.from(json) });
    return { lastEvent };
  };
