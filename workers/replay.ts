import { Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';

/**
 * Runs a recorded history through today's workflow code. It rejects with a `DeterminismViolationError` if a run that was started by older code
 * could not go on with this one: a step was added, removed, renamed or moved. Changed arguments, results and time-outs it does not see.
 */
export async function replay(bundle: WorkflowBundle, historyJson: string): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: bundle }, historyFromJSON(JSON.parse(historyJson)));
}
