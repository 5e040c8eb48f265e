import type { Ports, Step } from './ports.ts';

/** Archive the whole history of every closed run that is not there yet. */
export const sweepRuns =
  (ports: Ports): Step<Readonly<Record<string, never>>, { readonly archived: number }> =>
  async (_, context) => {
    let archived = 0;
    for await (const run of ports.histories.closed(context.signal)) {
      context.heartbeat({ step: 'sweepRuns', done: archived, note: run.workflowId });
      if (await ports.runs.isClosed(run.runId)) continue;
      const { json, lastEvent } = await ports.histories.fetch(run.workflowId, run.runId);
      await ports.runs.archive({ ...run, closed: true, lastEvent, history: Buffer.from(json) });
      archived += 1;
    }
    return { archived };
  };
