import { executeChild, ParentClosePolicy, setCurrentDetails } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { workflowId } from '../core/ids.ts';
import type { RetrainOutcome, RetrainRequest, TrainOutcome } from '../core/run.ts';
import { steps } from './steps.ts';
import { train } from './train.ts';
import { trainStart } from './train-start.ts';

type SegmentOutcome = RetrainOutcome['segments'][string];

/**
 * What a schedule calls. It holds no spec: it reads the one that was applied last. It waits for its trainings, so that the schedule's overlap
 * policy means something, and it says so when nothing is new and does nothing.
 */
export async function retrain(request: RetrainRequest): Promise<RetrainOutcome & { readonly outcome: string }> {
  const { model } = request;
  const { spec } = await steps.readApplied({ model });
  const segments = request.segments ?? (await steps.listSegments({ spec })).segments;

  const outcomes: Record<string, SegmentOutcome> = {};
  for (const segment of segments) {
    const news = await steps.lookForNews({ spec, segment });
    outcomes[segment] = news.isNew ? await trainSegment(spec, segment) : { outcome: 'nothing-new', reason: news.reason };
  }

  setCurrentDetails(describe(model, outcomes));
  const trained = Object.values(outcomes).some(({ outcome }) => outcome !== 'nothing-new');
  return { outcome: trained ? 'retrained' : 'nothing-new', model, segments: outcomes };

  async function trainSegment(of: typeof spec, segment: string): Promise<SegmentOutcome> {
    try {
      return await executeChild(train, {
        ...trainStart({ spec: of, segment, trigger: 'schedule', by: 'schedule' }),
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return { outcome: 'busy', reason: `${workflowId.train(model, segment)} is already running` };
    }
  }
}

function describe(model: string, segments: Readonly<Record<string, TrainOutcome | SegmentOutcome>>): string {
  const lines = Object.entries(segments).map(
    ([segment, result]) => `- **${segment}**: ${result.outcome}${'reason' in result ? `. ${result.reason}` : ''}`,
  );
  return [`### ${model}`, ...lines].join('\n');
}
