import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  executeChild,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { MlError } from '../core/errors.ts';
import { workflowId } from '../core/ids.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { BackfillRequest, BackfillResult, SourcesRead } from '../core/run.ts';
import { faultOf } from './coded-error.ts';
import { readSources } from './prepare.ts';
import { steps } from './steps.ts';
import { train } from './train.ts';
import { trainStart } from './train-start.ts';

export interface BackfillOutcome {
  /** `incomplete` when a window failed or was busy; `results` says which, and the same backfill may be started again. */
  readonly outcome: 'completed' | 'incomplete';
  readonly results: readonly BackfillResult[];
}

/** From so many on, sources are read once for all of them. Backfills in flight keep to it: another number needs another patch. */
const manySegments = 10;

/**
 * Train many windows and segments. Windows of one segment go one after the other, since each is judged against the champion that the one before
 * left; segments go side by side, at most `concurrency` of them. A window that fails is written down, and the others go on. What is named twice is
 * trained once.
 *
 * Many segments learn from the same snapshots, until the backfill continues as new: then the sources are read again, since `prune` keeps what open
 * runs made or used, and of those only the newest is open. A window whose snapshot is erased meanwhile fails like any other.
 */
export async function backfill(request: BackfillRequest): Promise<BackfillOutcome> {
  const windows = request.windows.filter((window, at) => request.windows.findIndex((each) => sameWindow(each, window)) === at);
  const segments = [...new Set(request.segments)];
  const { concurrency = 2 } = request;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new MlError('RequestInvalid', `concurrency is ${concurrency}: give a whole number of segments that may train at the same time, 1 or more`);
  }
  const done: BackfillResult[] = [...(request.cursor?.done ?? [])];
  const isDone = (segment: string, window: Window | null) => done.some((result) => result.segment === segment && sameWindow(result.window, window));
  const waiting = [...segments];
  const read = segments.length >= manySegments && patched('read-sources-once') ? await readOnce(request.spec) : undefined;

  const trainSegments = async () => {
    for (let segment = waiting.shift(); segment !== undefined; segment = waiting.shift()) {
      for (const window of windows) {
        // Launch nothing more, and drain: a child running across continue-as-new would be terminated.
        if (workflowInfo().continueAsNewSuggested) return;
        if (!isDone(segment, window)) done.push(await trainWindow(request.spec, read, segment, window));
        setCurrentDetails(describe(request.spec.name, segments.length * windows.length, done));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, trainSegments));

  if (!segments.every((segment) => windows.every((window) => isDone(segment, window)))) {
    await condition(allHandlersFinished);
    await continueAsNew<typeof backfill>({ ...request, cursor: { done } });
  }
  return { outcome: done.some(({ version }) => version === undefined) ? 'incomplete' : 'completed', results: done };
}

/** Nothing where it fails: each window then reads for itself, and its own failure, if it has one, is written down. */
async function readOnce(spec: ModelSpec): Promise<SourcesRead | undefined> {
  try {
    return await readSources((await steps.acceptSpec({ spec })).spec);
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    return undefined;
  }
}

async function trainWindow(spec: ModelSpec, read: SourcesRead | undefined, segment: string, window: Window | null): Promise<BackfillResult> {
  try {
    const { outcome, version } = await executeChild(train, {
      ...trainStart({ spec, segment, trigger: 'backfill', by: 'backfill', ...(window && { window }), ...(read && { read }) }),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
    return { segment, window, outcome, version };
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return { segment, window, outcome: 'busy', reason: `${workflowId.train(spec.name, segment)} is already running` };
    }
    const { code, message } = faultOf(error);
    return { segment, window, outcome: 'failed', reason: `${code}: ${message}` };
  }
}

const sameWindow = (a: Window | null, b: Window | null) => a?.from === b?.from && a?.to === b?.to;

const mostLines = 50;

function describe(model: string, all: number, done: readonly BackfillResult[]): string {
  // The newest only: this is written anew for each of thousands.
  const lines = done.slice(-mostLines).map(({ segment, window, outcome, version, reason }) => {
    const result = version === undefined ? outcome : `${outcome} v${version}`;
    return `- ${segment}, ${window ? `${window.from} to ${window.to}` : 'all rows'}: ${result}${reason === undefined ? '' : `. ${reason}`}`;
  });
  return [`### ${model}: ${done.length} of ${all}`, ...lines].join('\n');
}
