/** One call of a step, or of another workflow, as a run's history tells it. */
export interface RunStep {
  readonly step: string;
  readonly summary: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled' | 'timed-out';
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number | null;
  /** From 2 on: it was tried again. */
  readonly attempt: number;
  readonly error?: string;
}

/** The little of Temporal's replayable JSON that is read here. */
interface HistoryEvent {
  readonly eventId: string;
  readonly eventTime: string;
  readonly eventType: string;
  readonly userMetadata?: { readonly summary?: { readonly data?: string } };
  readonly [attributes: `${string}Attributes`]: Attributes | undefined;
}

interface Attributes {
  readonly scheduledEventId?: string;
  readonly initiatedEventId?: string;
  readonly activityType?: { readonly name: string };
  readonly workflowType?: { readonly name: string };
  readonly workflowId?: string;
  readonly attempt?: number;
  readonly failure?: Failure;
}

interface Failure {
  readonly message?: string;
  readonly cause?: Failure;
}

const ends: readonly (readonly [suffix: string, state: RunStep['state']])[] = [
  ['COMPLETED', 'done'],
  ['FAILED', 'failed'],
  ['CANCELED', 'cancelled'],
  ['TIMED_OUT', 'timed-out'],
  ['TERMINATED', 'cancelled'],
];

/** Steps and child workflows of a history, in the order in which they began. */
export function stepsOfHistory(json: string): RunStep[] {
  const { events } = JSON.parse(json) as { readonly events: readonly HistoryEvent[] };
  const steps = new Map<string, RunStep>();
  for (const event of events) {
    const { eventType } = event;
    const attributes = attributesOf(event);
    if (eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED' || eventType === 'EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED') {
      steps.set(event.eventId, begun(event, attributes));
      continue;
    }
    const id = attributes.scheduledEventId ?? attributes.initiatedEventId;
    const step = id === undefined ? undefined : steps.get(id);
    if (step === undefined || !/^EVENT_TYPE_(ACTIVITY_TASK|CHILD_WORKFLOW_EXECUTION)_/.test(eventType)) continue;
    if (eventType === 'EVENT_TYPE_ACTIVITY_TASK_STARTED') steps.set(id!, { ...step, attempt: attributes.attempt ?? 1 });
    const end = ends.find(([suffix]) => eventType.endsWith(`_${suffix}`));
    if (end === undefined) continue;
    const error = innermost(attributes.failure);
    const seconds = (Date.parse(event.eventTime) - Date.parse(step.startedAt)) / 1000;
    steps.set(id!, { ...step, state: end[1], seconds, ...(error !== undefined && { error }) });
  }
  return [...steps.values()];
}

function begun({ eventTime, userMetadata }: HistoryEvent, { activityType, workflowType, workflowId = '' }: Attributes): RunStep {
  const summary = textOf(userMetadata?.summary?.data) ?? workflowId;
  return { step: activityType?.name ?? workflowType?.name ?? '?', summary, state: 'running', startedAt: eventTime, seconds: null, attempt: 1 };
}

function attributesOf(event: HistoryEvent): Attributes {
  const [, attributes] = Object.entries(event).find(([name]) => name.endsWith('EventAttributes')) ?? [];
  return (attributes ?? {}) as Attributes;
}

/** A payload that is text in JSON; an encrypted one stays unread. */
function textOf(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  try {
    return String(JSON.parse(Buffer.from(base64, 'base64').toString('utf8')));
  } catch {
    return undefined;
  }
}

const innermost = (failure: Failure | undefined): string | undefined =>
  failure?.cause === undefined ? failure?.message : (innermost(failure.cause) ?? failure.message);
