import { expect, test } from '@jest/globals';
import { stepsOfHistory } from '../../cli/run-steps.ts';
import { activity, history } from './history.ts';

test('a history tells its steps in the order in which they began, with summary, state and duration', () => {
  const json = history(
    activity(5, 'acceptSpec', 'spec of films', { seconds: 0.5 }),
    activity(11, 'trainModel', 'ease {"l2":100}', { seconds: 2, attempt: 3 }),
    activity(17, 'trainModel', 'ease {"l2":300}', { failure: 'the child was killed' }),
    activity(23, 'judge', 'verdict', {}),
  );
  expect(stepsOfHistory(json)).toEqual([
    { step: 'acceptSpec', summary: 'spec of films', state: 'done', startedAt: '2026-01-01T00:00:05.000Z', seconds: 0.5, attempt: 1 },
    { step: 'trainModel', summary: 'ease {"l2":100}', state: 'done', startedAt: '2026-01-01T00:00:11.000Z', seconds: 2, attempt: 3 },
    {
      step: 'trainModel',
      summary: 'ease {"l2":300}',
      state: 'failed',
      startedAt: '2026-01-01T00:00:17.000Z',
      seconds: 1,
      attempt: 1,
      error: 'the child was killed',
    },
    { step: 'judge', summary: 'verdict', state: 'running', startedAt: '2026-01-01T00:00:23.000Z', seconds: null, attempt: 1 },
  ]);
});

test('a child workflow is a step of its parent', () => {
  const json = history([
    {
      eventId: '9',
      eventTime: '2026-01-01T00:00:09Z',
      eventType: 'EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED',
      startChildWorkflowExecutionInitiatedEventAttributes: { workflowId: 'deploy/films/all', workflowType: { name: 'deploy' } },
    },
    {
      eventId: '10',
      eventTime: '2026-01-01T00:00:09.1Z',
      eventType: 'EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED',
      childWorkflowExecutionStartedEventAttributes: { initiatedEventId: '9', workflowType: { name: 'deploy' } },
    },
    {
      eventId: '13',
      eventTime: '2026-01-01T00:00:10Z',
      eventType: 'EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED',
      childWorkflowExecutionCompletedEventAttributes: { initiatedEventId: '9', workflowType: { name: 'deploy' } },
    },
  ]);
  expect(stepsOfHistory(json)).toMatchObject([{ step: 'deploy', summary: 'deploy/films/all', state: 'done', seconds: 1 }]);
});

test('a summary that is encrypted stays unread', () => {
  const json = history(activity(5, 'judge', 'verdict', { seconds: 1 })).replace(/"data":"[^"]+"/, '"data":"AAECAwQ="');
  expect(stepsOfHistory(json)).toMatchObject([{ step: 'judge', summary: '', state: 'done' }]);
});
