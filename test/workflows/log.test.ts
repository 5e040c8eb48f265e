import { expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { lineOf } from '../../workers/log.ts';

test('a coded error is one line, without a stack', () => {
  const error = ApplicationFailure.create({ type: 'SpecInvalid', message: 'l2 is\n-1' });
  const meta = { activityType: 'acceptSpec', attempt: 1, taskQueue: 'perennial', runId: 'r', error };
  expect(lineOf({ level: 'WARN', message: 'Activity failed', meta })).toBe(
    'warn Activity failed activityType=acceptSpec attempt=1 SpecInvalid: l2 is -1',
  );
});

test('what nobody expected shows where it came from', () => {
  const line = lineOf({
    level: 'ERROR',
    message: 'Activity failed',
    meta: { workflowId: 'train/films/month=10', error: new TypeError('x is undefined') },
  });
  expect(line).toMatch(/^error Activity failed workflowId="train\/films\/month=10" TypeError: x is undefined\n\s+at /);
});
