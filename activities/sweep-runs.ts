import type { Ports, Step } from './ports.ts';

/** Archive the whole history of every closed run that is not there yet. */
export const sweepRuns =
  (ports: Ports): Step<Readonly<Record<string, never>>, { readonly archived: number }> =>
  async (_, context) => {
    const archivedBefore = new Map((await ports.runs.runs()).map((run) => [run.runId, run]));
    let archived = 0;
    for await (const closed of ports.histories.closed(context.signal)) {
      context.heartbeat({ step: 'sweepRuns', done: archived, note: closed.workflowId });
      if (archivedBefore.get(closed.runId)?.closedAt !== undefined) continue;
      const { json, lastEvent } = await ports.histories.fetch(closed.workflowId, closed.runId);
      const { result, error } = archivedBefore.get(closed.runId)?.outcome ?? {};
      const outcome = { status: closed.status, ...(result !== undefined && { result }), ...(error && { error }) };
      const { workflowId, runId, workflowType, startedAt, closedAt } = closed;
      await ports.runs.archive({ workflowId, runId, workflowType, startedAt, closedAt, outcome, lastEvent, history: Buffer.from(json) });
      archived += 1;
    }
    return { archived };
  };
