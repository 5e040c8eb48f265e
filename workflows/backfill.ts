import {
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  ParentClosePolicy,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Window } from '../core/manifest.ts';
import type { BackfillRequest, BackfillResult } from '../core/run.ts';
import { train } from './train.ts';
import { trainStart } from './train-start.ts';

export interface BackfillOutcome {
  readonly outcome: 'completed';
  readonly results: readonly BackfillResult[];
}

/**
 * Train many windows and segments. Windows of one segment go one after the other, since each is judged against the champion that the one before
 * left; segments go side by side, at most `concurrency` of them.
 */
export async function backfill(request: BackfillRequest): Promise<BackfillOutcome> {
  const done: BackfillResult[] = [...(request.cursor?.done ?? [])];
  const isDone = (segment: string, window: Window | null) => done.some((result) => result.segment === segment && sameWindow(result.window, window));
  const waiting = [...request.segments];

  const worker = async () => {
    for (let segment = waiting.shift(); segment !== undefined; segment = waiting.shift()) {
      for (const window of request.windows) {
        // Launch nothing more, and drain: a child running across continue-as-new would be terminated.
        if (workflowInfo().continueAsNewSuggested) return;
        if (!isDone(segment, window)) done.push(await trainWindow(segment, window));
        setCurrentDetails(describe(request, done));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, request.concurrency ?? 2) }, worker));

  if (done.length < request.segments.length * request.windows.length) {
    await condition(allHandlersFinished);
    await continueAsNew<typeof backfill>({ ...request, cursor: { done } });
  }
  return { outcome: 'completed', results: done };

  async function trainWindow(segment: string, window: Window | null): Promise<BackfillResult> {
    const result = await executeChild(train, {
      ...trainStart({ spec: request.spec, segment, trigger: 'backfill', by: 'backfill', ...(window && { window }) }),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
    return { segment, window, outcome: result.outcome, version: result.version };
  }
}

const sameWindow = (a: Window | null, b: Window | null) => a?.from === b?.from && a?.to === b?.to;

function describe(request: BackfillRequest, done: readonly BackfillResult[]): string {
  const lines = done.map(
    ({ segment, window, outcome, version }) => `- ${segment}, ${window ? `${window.from} to ${window.to}` : 'all rows'}: ${outcome} v${version}`,
  );
  return [`### ${request.spec.name}: ${done.length} of ${request.segments.length * request.windows.length}`, ...lines].join('\n');
}
