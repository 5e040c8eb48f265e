import { seenOf } from './archive-run.ts';
import type { ClosedRun, Ports, Step } from './ports.ts';

/** Index what lineage has gained, and archive the whole history of every closed run that is not there yet. */
export const sweepRuns =
  (ports: Ports): Step<Readonly<Record<string, never>>, { readonly archived: number; readonly indexed: number }> =>
  async (_, context) => {
    const { records: indexed } = await ports.lineage.extend(context);
    const swept = await ports.lineage.closedRuns(context.signal);
    let archived = 0;
    for await (const closed of ports.histories.closed(context.signal)) {
      context.heartbeat({ step: 'sweepRuns', done: archived, note: closed.workflowId });
      if (!swept.has(closed.runId) && (await complete(ports, closed))) archived += 1;
    }
    return { archived, indexed };
  };

/** Archives a run up to its close, with what it said of its own outcome. `false` if that was done before. */
async function complete({ runs, histories, registry }: Ports, { status, ...closed }: ClosedRun): Promise<boolean> {
  const before = await runs.find(closed.runId);
  if (before?.closedAt !== undefined) return false;
  const { json, lastEvent } = await histories.fetch(closed.workflowId, closed.runId);
  const { status: _status, ...said } = before?.outcome ?? {};
  const outcome = { ...said, status };
  await runs.archive({ ...closed, outcome, lastEvent, ...(await seenOf({ registry }, closed)), history: Buffer.from(json) });
  return true;
}
