import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';

/** What our workflows can be searched by. The namespace is shared with others, so these few are all; the launcher registers them from this list. */
export const searchKeys = {
  model: defineSearchAttributeKey('MlModel', 'KEYWORD'),
  segment: defineSearchAttributeKey('MlSegment', 'KEYWORD'),
  version: defineSearchAttributeKey('MlVersion', 'KEYWORD'),
  outcome: defineSearchAttributeKey('MlOutcome', 'KEYWORD'),
  trigger: defineSearchAttributeKey('MlTrigger', 'KEYWORD'),
  dataTime: defineSearchAttributeKey('MlDataTime', 'DATETIME'),
  metric: defineSearchAttributeKey('MlMetric', 'DOUBLE'),
  inputs: defineSearchAttributeKey('MlInputs', 'KEYWORD_LIST'),
} as const;

/** What is known of a run when it starts. */
export function subjectOf(subject: {
  readonly model: string;
  readonly segment?: string;
  readonly version?: number;
  readonly trigger?: string;
}): SearchAttributePair[] {
  const { model, segment, version, trigger } = subject;
  return [
    { key: searchKeys.model, value: model },
    ...(segment === undefined ? [] : [{ key: searchKeys.segment, value: segment }]),
    ...(version === undefined ? [] : [{ key: searchKeys.version, value: `v${version}` }]),
    ...(trigger === undefined ? [] : [{ key: searchKeys.trigger, value: trigger }]),
  ];
}
