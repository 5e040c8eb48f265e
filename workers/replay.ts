import { Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Run } from '../core/artifact.ts';
import type { RunStatus } from '../core/run-status.ts';
import { calledSteps } from './recorded-calls.ts';

/** A run with its history so far, from Temporal or from the archive of the store. */
export interface RecordedRun extends Run {
  readonly status: RunStatus['status'];
  readonly kept: 'temporal' | 'archive';
  /** As `historyToJSON` writes it, readable. */
  readonly historyJson: string;
}

export interface Replayed extends Omit<RecordedRun, 'historyJson'> {
  /**
   * `breaks`: a run that older code started could not go on with this one, since a step was added, removed, renamed or moved. `unknown-workflow`: no
   * workflow of this name is in the bundle any more.
   */
  readonly result: 'replays' | 'breaks' | 'unknown-workflow';
  /** Where it breaks: the recorded step, and its event if it can be told. */
  readonly step?: string;
  readonly event?: number;
  readonly reason?: string;
}

/**
 * Runs recorded histories through today's workflow code, one after another. Arguments and results it does not see: `checkRecordedTypes` does.
 */
export async function* replayRuns(bundle: WorkflowBundle, runs: AsyncIterable<RecordedRun>): AsyncGenerator<Replayed> {
  const taken = new Map<string, RecordedRun>();
  async function* histories() {
    for await (const run of runs) {
      // The SDK gives this id back, and no other.
      taken.set(run.runId, run);
      yield { workflowId: run.runId, history: historyFromJSON(JSON.parse(run.historyJson)) };
    }
  }
  for await (const { workflowId: runId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories())) {
    const { historyJson, ...run } = taken.get(runId)!;
    taken.delete(runId);
    yield error === undefined ? { ...run, result: 'replays' } : { ...run, ...whereItBreaks(error.message, historyJson) };
  }
}

function whereItBreaks(message: string, historyJson: string): Pick<Replayed, 'result' | 'step' | 'event' | 'reason'> {
  // Replay wraps what the core said in its debug format.
  const [, quoted] = /message: "((?:[^"\\]|\\.)*)"/.exec(message) ?? [];
  const reason = (quoted ?? message).replace(/^\[TMPRL\d+\] /, '').replaceAll('\\"', '"');
  if (reason.includes('no such function is exported')) return { result: 'unknown-workflow', reason };
  const steps = calledSteps(historyJson);
  const [, id] = /HistoryEvent\(id: (\d+)/.exec(reason) ?? [];
  const [, name] = /scheduled event '([^']+)'/.exec(reason) ?? [];
  const same = steps.filter((step) => (id === undefined ? step.name === name : step.event === Number(id)));
  const step = same[0]?.name ?? name;
  const event = id === undefined ? (same.length === 1 ? same[0]!.event : undefined) : Number(id);
  return { result: 'breaks', ...(step !== undefined && { step }), ...(event !== undefined && { event }), reason };
}
