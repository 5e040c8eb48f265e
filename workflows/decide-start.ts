import type { SearchAttributePair } from '@temporalio/common';
import type { Approval, Subject } from '../core/decision.ts';
import { workflowId } from '../core/ids.ts';
import type { Verdict } from '../core/registry-entry.ts';
import type { Trial } from './judgement.ts';
import { searchKeys, subjectOf } from './search-attributes.ts';

export interface DecideRequest {
  readonly subject: Subject;
  readonly approval: Approval;
  readonly verdict: Verdict;
  /** What it takes to judge the version again. Absent where an approval found no waiting run: then a changed champion ends it. */
  readonly trial?: Trial;
}

/** Id, arguments and search attributes of a decision: the same for a training's child and for a client's update-with-start. */
export function decideStart(request: DecideRequest): {
  readonly workflowId: string;
  readonly args: [DecideRequest];
  readonly typedSearchAttributes: SearchAttributePair[];
  readonly staticSummary: string;
} {
  const { model, segment, version } = request.subject;
  return {
    workflowId: workflowId.decide(model, segment, version),
    args: [request],
    staticSummary: `decide about ${model}, ${segment} v${version}`,
    typedSearchAttributes: [...subjectOf({ model, segment, version }), { key: searchKeys.outcome, value: 'awaiting-decision' }],
  };
}
