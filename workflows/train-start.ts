import type { SearchAttributePair } from '@temporalio/common';
import { workflowId } from '../core/ids.ts';
import { allRows } from '../core/segment.ts';
import type { TrainRequest } from '../core/run.ts';
import { subjectOf } from './search-attributes.ts';

/** Id, arguments and search attributes of a training run: the same for a client's start and a parent's child. */
export function trainStart(request: TrainRequest): {
  readonly workflowId: string;
  readonly args: [TrainRequest];
  readonly typedSearchAttributes: SearchAttributePair[];
  readonly staticSummary: string;
} {
  const { segment = allRows, trigger = 'manual', spec } = request;
  const model = spec.name;
  return {
    workflowId: workflowId.train(model, segment),
    args: [request],
    staticSummary: `train ${model}, ${segment}`,
    typedSearchAttributes: subjectOf({ model, segment, trigger }),
  };
}
