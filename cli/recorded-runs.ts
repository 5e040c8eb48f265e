import { modelOf } from './known-runs.ts';
import { readableHistory } from '../client/readable-history.ts';
import { openHistories, statusOf } from '../workers/histories.ts';
import type { RecordedRun } from '../workers/replay.ts';
import type { Workplace } from './workplace.ts';

/** Every run with its history: those that Temporal still has from there, unless `open`, the others from the archive. */
export async function* recordedRuns(at: Workplace, which: { readonly model?: string; readonly open: boolean }): AsyncGenerator<RecordedRun> {
  const wanted = (workflowId: string): boolean => which.model === undefined || modelOf(workflowId) === which.model;
  const seen = new Set<string>();
  const cipher = await at.cipher();
  // Who asks for open runs alone must not hear that none breaks because nobody knows of any.
  const reached = which.open ? await at.temporal() : await at.temporalIfThere();
  if (reached !== undefined) {
    const { temporal, taskQueue } = reached.client;
    const histories = openHistories(temporal, taskQueue);
    const query = `TaskQueue = "${taskQueue}"${which.open ? ' AND ExecutionStatus = "Running"' : ''}`;
    for await (const { workflowId, runId, type: workflowType, status } of temporal.workflow.list({ query })) {
      if (!wanted(workflowId)) continue;
      seen.add(runId);
      const historyJson = readableHistory((await histories.fetch(workflowId, runId)).json, cipher);
      yield { workflowId, runId, workflowType, status: statusOf(status.name), kept: 'temporal', historyJson };
    }
  }
  if (which.open) return;
  const { runs: archive } = await at.kept();
  for (const run of await archive.runs()) {
    const { workflowId, runId, workflowType, outcome } = run;
    if (seen.has(runId) || !wanted(workflowId)) continue;
    const historyJson = readableHistory(Buffer.from(await archive.history(run)).toString('utf8'), cipher);
    yield { workflowId, runId, workflowType, status: outcome.status, kept: 'archive', historyJson };
  }
}
