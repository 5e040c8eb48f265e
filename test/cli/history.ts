/** Events of a Temporal history, in the form of its replayable JSON; as many of their fields as the command line reads. */
export const history = (...groups: readonly (readonly object[])[]): string => JSON.stringify({ events: groups.flat() });

/** The events of one activity from event `id` on, which is scheduled at that second. Without an end it still runs. */
export function activity(
  id: number,
  name: string,
  summary: string,
  { seconds, failure, attempt = 1 }: { readonly seconds?: number; readonly failure?: string; readonly attempt?: number },
): object[] {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
  const scheduled = {
    eventId: String(id),
    eventTime: at(id),
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
    userMetadata: { summary: { metadata: {}, data: Buffer.from(JSON.stringify(summary)).toString('base64') } },
    activityTaskScheduledEventAttributes: { activityId: '1', activityType: { name } },
  };
  if (seconds === undefined && failure === undefined) return [scheduled];
  const of = { scheduledEventId: String(id) };
  const started = {
    eventId: String(id + 1),
    eventTime: at(id),
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_STARTED',
    activityTaskStartedEventAttributes: { ...of, attempt },
  };
  const end = { eventId: String(id + 2), eventTime: at(id + (seconds ?? 1)) };
  return [
    scheduled,
    started,
    failure === undefined
      ? { ...end, eventType: 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED', activityTaskCompletedEventAttributes: of }
      : {
          ...end,
          eventType: 'EVENT_TYPE_ACTIVITY_TASK_FAILED',
          activityTaskFailedEventAttributes: { ...of, failure: { message: 'Activity task failed', cause: { message: failure } } },
        },
  ];
}
