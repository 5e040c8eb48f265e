import type { Run } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import { placeOf } from '../core/ids.ts';
import type { RunStatus } from '../registry/runs.ts';
import type { Seen } from '../registry/seen.ts';
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
    await ports.runs.archive({ ...run, ...(await seenOf(ports, run)), lastEvent, history: Buffer.from(json) });
    return { lastEvent };
  };

/** How far the log that the run is about has grown: whoever cuts it off later is contradicted by the run's record. */
export async function seenOf({ registry }: Pick<Ports, 'registry'>, { workflowId }: Pick<Run, 'workflowId'>): Promise<{ readonly seen?: Seen }> {
  const place = placeOf(workflowId);
  if (place === undefined) return {};
  try {
    await registry.entries(place);
  } catch (error) {
    // A log that is broken is no reason to lose the run's record, too.
    if (!(error instanceof MlError && error.code === 'LogCorrupt')) throw error;
  }
  const seen = registry.seen(place);
  return seen === undefined ? {} : { seen };
}
