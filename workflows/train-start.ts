import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import { workflowId } from '../core/ids.ts';
import { allRows } from '../core/segment.ts';
import type { TrainRequest } from '../core/run.ts';

const modelKey = defineSearchAttributeKey('MlModel', 'KEYWORD');
const segmentKey = defineSearchAttributeKey('MlSegment', 'KEYWORD');
const triggerKey = defineSearchAttributeKey('MlTrigger', 'KEYWORD');

/** Id, arguments and search attributes of a training run: the same for a client's start and a parent's child. */
export function trainStart(request: TrainRequest): {
  readonly workflowId: string;
  readonly args: [TrainRequest];
  readonly typedSearchAttributes: SearchAttributePair[];
  readonly staticSummary: string;
} {
  const segment = request.segment ?? allRows;
  const model = request.spec.name;
  return {
    workflowId: workflowId.train(model, segment),
    args: [request],
    staticSummary: `train ${model}, ${segment}`,
    typedSearchAttributes: [
      { key: modelKey, value: model },
      { key: segmentKey, value: segment },
      { key: triggerKey, value: request.trigger ?? 'manual' },
    ],
  };
}
