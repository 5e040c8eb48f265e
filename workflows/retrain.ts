import { CancellationScope, executeChild, ParentClosePolicy, setCurrentDetails } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { isErrorCode, MlError } from '../core/errors.ts';
import { workflowId } from '../core/ids.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { RetrainOutcome, RetrainRequest, TrainOutcome } from '../core/run.ts';
import { faultOf } from './coded-error.ts';
import { runLog } from './progress.ts';
import { steps } from './steps.ts';
import { train } from './train.ts';
import { trainStart } from './train-start.ts';

type SegmentOutcome = RetrainOutcome['segments'][string];

/**
 * What a schedule calls. It holds no spec: it reads the one that was applied last. It waits for its trainings, so that the schedule's overlap
 * policy means something, and it says so when nothing is new and does nothing.
 *
 * A segment that fails does not stop the others. Once all have had their turn the run fails, so that it is red wherever schedules are watched.
 */
export async function retrain(request: RetrainRequest): Promise<RetrainOutcome> {
  const { model } = request;
  const { spec } = await steps.readApplied({ model });
  const segments = request.segments ?? (await steps.listSegments({ spec })).segments;

  const outcomes: Record<string, SegmentOutcome> = {};
  const faults: Record<string, Fault> = {};
  for (const segment of segments) {
    try {
      const news = await steps.lookForNews({ spec, segment });
      outcomes[segment] = news.isNew ? await trainSegment(spec, segment) : { outcome: 'nothing-new', reason: news.reason };
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      const fault = (faults[segment] = faultOf(error));
      outcomes[segment] = { outcome: 'failed', reason: `${fault.code}: ${fault.message}` };
    }
    setCurrentDetails(describe(model, outcomes));
  }

  if (Object.keys(faults).length > 0) throw failure(model, segments.length, faults);
  const all = Object.values(outcomes).map((each) => each.outcome);
  const trained = all.some((each) => each !== 'nothing-new' && each !== 'busy');
  const outcome = trained ? 'retrained' : all.includes('busy') ? 'busy' : 'nothing-new';
  runLog.headline = outcome === 'nothing-new' ? `nothing is new for ${model}` : describe(model, outcomes);
  return { outcome, model, segments: outcomes };
}

async function trainSegment(spec: ModelSpec, segment: string): Promise<SegmentOutcome> {
  try {
    return await executeChild(train, {
      ...trainStart({ spec, segment, trigger: 'schedule', by: 'schedule' }),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { outcome: 'busy', reason: `${workflowId.train(spec.name, segment)} is already running` };
  }
}

type Fault = ReturnType<typeof faultOf>;

/** The code that all failed segments share, if they do: a source that broke its contract did so for all of them. */
function failure(model: string, segments: number, faults: Readonly<Record<string, Fault>>): MlError {
  const list = Object.entries(faults).map(([segment, { code, message }]) => `${segment}: ${code}: ${message}`);
  const codes = new Set(Object.values(faults).map(({ code }) => code));
  const [only] = codes;
  const code = codes.size === 1 && isErrorCode(only) ? only : 'TrainingFailed';
  return new MlError(code, `${list.length} of ${segments} segments of "${model}" failed. ${list.join('; ')}`, { failed: Object.keys(faults) });
}

function describe(model: string, segments: Readonly<Record<string, TrainOutcome | SegmentOutcome>>): string {
  const lines = Object.entries(segments).map(
    ([segment, result]) => `- **${segment}**: ${result.outcome}${'reason' in result ? `. ${result.reason}` : ''}`,
  );
  return [`### ${model}`, ...lines].join('\n');
}
