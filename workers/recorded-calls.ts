import type { Payload } from '@temporalio/common';
import { decodeArrayFromPayloads, loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Json } from '../core/artifact.ts';

/** A step or a workflow as a history has it: what went in, and what came out if it has ended well. */
export interface RecordedCall {
  readonly kind: 'step' | 'workflow';
  readonly name: string;
  readonly event: number;
  readonly input: Json | undefined;
  readonly output?: Json;
  /** Whether it was a light step: its history has only the end of it, without the input. */
  readonly light?: true;
}

interface Event {
  readonly eventId: string;
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { readonly name: string } };
}

/** The steps that a history called, in order. Nothing is decoded. */
export function calledSteps(historyJson: string): { readonly name: string; readonly event: number }[] {
  const { events } = JSON.parse(historyJson) as { readonly events: readonly Event[] };
  return events.flatMap(({ eventId, activityTaskScheduledEventAttributes: step }) =>
    step === undefined ? [] : [{ name: step.activityType.name, event: Number(eventId) }],
  );
}

/**
 * What a history's workflow was called with, and each step and child workflow with its result. The history is readable: where payloads are encrypted, see
 * `readableHistory`.
 */
export async function recordedCalls(historyJson: string): Promise<RecordedCall[]> {
  const converter = loadDataConverter();
  const calls = new Map<number, RecordedCall>();
  const first = async (payloads: { readonly payloads?: Payload[] | null } | null | undefined): Promise<Json | undefined> =>
    (await decodeArrayFromPayloads(converter, payloads?.payloads))[0] as Json | undefined;
  const end = async (id: unknown, result: Parameters<typeof first>[0]): Promise<void> => {
    const call = calls.get(Number(id));
    const output = await first(result);
    if (call !== undefined && output !== undefined) calls.set(call.event, { ...call, output });
  };
  for (const each of historyFromJSON(JSON.parse(historyJson)).events ?? []) {
    const event = Number(each.eventId);
    const started = each.workflowExecutionStartedEventAttributes;
    const step = each.activityTaskScheduledEventAttributes;
    const child = each.startChildWorkflowExecutionInitiatedEventAttributes;
    const begin = async (kind: RecordedCall['kind'], name: string | null | undefined, input: Parameters<typeof first>[0]): Promise<void> =>
      void calls.set(event, { kind, name: name ?? '', event, input: await first(input) });
    if (started) await begin('workflow', started.workflowType?.name, started.input);
    if (step) await begin('step', step.activityType?.name, step.input);
    if (child) await begin('workflow', child.workflowType?.name, child.input);
    const stepEnd = each.activityTaskCompletedEventAttributes;
    const childEnd = each.childWorkflowExecutionCompletedEventAttributes;
    const lightEnd = each.markerRecordedEventAttributes;
    if (lightEnd?.markerName === lightMarker) {
      const name = lightStep(lightEnd.details?.['data']?.payloads?.[0]);
      const output = await first(lightEnd.details?.['result']);
      calls.set(event, { kind: 'step', name, event, input: undefined, light: true, ...(output !== undefined && { output }) });
    }
    if (stepEnd) await end(stepEnd.scheduledEventId, stepEnd.result);
    if (childEnd) await end(childEnd.initiatedEventId, childEnd.result);
  }
  return [...calls.values()];
}

const lightMarker = 'core_local_activity';

/** The name is Temporal's own note, which no codec touches. */
const lightStep = (data: Payload | undefined): string =>
  (JSON.parse(Buffer.from(data?.data ?? '{}').toString('utf8')) as { readonly activity_type?: string }).activity_type ?? '';
