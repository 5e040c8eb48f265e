import type { Workplace } from './workplace.ts';

/** Ids of the runs that Temporal holds open, in any queue of the namespace; `undefined` where it is not reached. */
export async function openRuns(at: Workplace): Promise<readonly string[] | undefined> {
  const reached = await at.temporalIfThere();
  if (reached === undefined) return undefined;
  const runs: string[] = [];
  for await (const { runId } of reached.client.temporal.workflow.list({ query: 'ExecutionStatus = "Running"' })) runs.push(runId);
  return runs;
}
