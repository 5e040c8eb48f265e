import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Progress } from '../core/step-context.ts';
import type { RunProgress } from '../core/run.ts';
import { asMlError } from './failure.ts';

/** How far a run is: its steps, and what those that work now say of themselves. */
export interface RunNews extends RunProgress {
  readonly working: readonly Progress[];
}

/** A run that goes on whether or not anybody watches. */
export interface RunHandle<Outcome> {
  readonly workflowId: string;
  readonly runId: string;
  /** Waits for the end. @throws {MlError} with the code that the run failed with; `Cancelled`. */
  result(): Promise<Outcome>;
  /** Waits for the end and tells news on the way. Aborting `signal` stops watching, not the run. */
  follow(onNews: (news: RunNews) => void, signal?: AbortSignal): Promise<Outcome>;
  /** How far the run is now. Only a worker can answer. */
  progress(): Promise<RunNews>;
  /** Asks the run to stop and clean up; its result then rejects with `Cancelled`. */
  cancel(): Promise<void>;
}

const pollMs = 300;

export function runHandle<Outcome>(client: Client, workflowId: string, runId: string): RunHandle<Outcome> {
  const handle: WorkflowHandle = client.workflow.getHandle(workflowId, runId);
  let chain: string | undefined;

  /** The first run of the chain that continue-as-new makes of one run: it names them all. */
  const firstRunId = async (): Promise<string> => (chain ??= chainOf(await handle.describe()));

  /** The run of the chain that goes on now. A later run of the same workflow id is another's. */
  async function current(): Promise<{ readonly run: WorkflowHandle; readonly description: WorkflowExecutionDescription }> {
    const newest = await client.workflow.getHandle(workflowId).describe();
    const isOurs = newest.runId === runId || chainOf(newest) === (await firstRunId());
    const description = isOurs ? newest : await handle.describe();
    return { run: client.workflow.getHandle(workflowId, description.runId), description };
  }

  async function result(): Promise<Outcome> {
    try {
      return (await handle.result()) as Outcome;
    } catch (error) {
      throw asMlError(error);
    }
  }

  async function progress(): Promise<RunNews> {
    const { run, description } = await current();
    const { steps, headline } = await run.query<RunProgress>('progress');
    const beats = (description.raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => heartbeatDetails?.payloads?.slice(0, 1) ?? []);
    const working = (await decodeArrayFromPayloads(client.options.loadedDataConverter, beats)) as readonly Progress[];
    return { steps, headline, working };
  }

  async function follow(onNews: (news: RunNews) => void, signal?: AbortSignal): Promise<Outcome> {
    let ended = false;
    const outcome = result().finally(() => (ended = true));
    outcome.catch(() => {}); // Awaited below.
    while (!ended && signal?.aborted !== true) {
      await Promise.race([outcome.catch(() => {}), new Promise((resolve) => setTimeout(resolve, pollMs))]);
      // A worker that is away cannot answer a query; the run goes on when it is back.
      if (!ended) await progress().then(onNews, () => {});
    }
    signal?.throwIfAborted();
    await progress().then(onNews, () => {});
    return outcome;
  }

  async function cancel(): Promise<void> {
    await client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: await firstRunId() }).cancel();
  }

  return { workflowId, runId, result, follow, progress, cancel };
}

const chainOf = ({ raw, runId }: WorkflowExecutionDescription): string => raw.workflowExecutionInfo?.firstRunId || runId;
