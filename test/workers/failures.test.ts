import { describe, expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import { asMlError } from '../../client/failure.ts';
import { MlError } from '../../core/errors.ts';
import { failureOf } from '../../workers/step-adapter.ts';
import { asFailure, faultOf } from '../../workflows/coded-error.ts';

const inStep = (cause: Error) => new ActivityFailure(undefined, 'trainModel', '1', RetryState.TIMEOUT, undefined, cause);
const inChild = (cause: Error) =>
  new ChildWorkflowFailure(undefined, { workflowId: 'train/films/all', runId: '1' }, 'train', RetryState.NON_RETRYABLE_FAILURE, cause);

describe('an error that a step throws', () => {
  test('keeps its code when it has one, whichever attempt it is', () => {
    expect(failureOf(new MlError('SpecInvalid', 'no'), 1)).toMatchObject({ type: 'SpecInvalid', nonRetryable: true });
    expect(failureOf(new MlError('StoreUnavailable', 'away'), 9)).toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
  });

  test('is a bug that is not tried again after three attempts when it has none', () => {
    const error = new TypeError('x is not a function');
    expect(failureOf(error, 1)).toBe(error);
    expect(failureOf(error, 2)).toBe(error);
    expect(failureOf(error, 3)).toMatchObject({ type: 'Bug', nonRetryable: true, message: 'TypeError: x is not a function, in 3 attempts' });
  });

  test('is tried for as long as the step may when the system says what is wrong', () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    expect(failureOf(full, 100)).toBe(full);
    const unreachable = new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
    expect(failureOf(unreachable, 100)).toBe(unreachable);
  });
});

describe('what went wrong in a run', () => {
  test.each([
    ['a coded error in a child', inChild(inStep(asFailure(new MlError('LeakFound', 'a leak')))), { code: 'LeakFound', message: 'a leak' }],
    ['a cancellation', inChild(new CancelledFailure('cancelled')), { code: 'Cancelled' }],
    ['a step without an answer', inStep(new TimeoutFailure('activity timed out', undefined, 'HEARTBEAT')), { code: 'TimedOut' }],
  ])('is %s', (_, error, fault) => {
    expect(faultOf(error)).toMatchObject(fault);
    expect(asMlError(error)).toMatchObject(fault);
  });

  test('is named with its step when that took too long', () => {
    const { message } = faultOf(inStep(new TimeoutFailure('activity timed out', undefined, 'HEARTBEAT')));
    expect(message).toBe('the step trainModel took longer than it may (HEARTBEAT)');
  });

  test('is the last error of a step that was tried until its time was over', () => {
    const late = new TimeoutFailure('activity timed out', undefined, 'SCHEDULE_TO_CLOSE');
    Object.assign(late, { cause: asFailure(new MlError('SourceUnreachable', 'no answer')) });
    expect(faultOf(inStep(late))).toEqual({ code: 'SourceUnreachable', message: 'no answer' });
  });

  test('is a bug when it is nothing that we know', () => {
    const failure = ApplicationFailure.create({ type: 'RangeError', message: 'too deep' });
    expect(faultOf(inStep(failure))).toEqual({ code: 'Bug', message: 'RangeError: too deep' });
  });
});
