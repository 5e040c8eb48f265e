import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { RunHandle, RunNews } from '../../client/index.ts';
import { followToTheEnd } from '../../cli/follow.ts';
import type { Workplace } from '../../cli/workplace.ts';

// A worker that falls silent is the fault that is injected: the run is one that tells what the test says, when it says it.
let tell: (news: RunNews) => void;
let end: (outcome: string) => void;
const handle = {
  follow: (onNews: (news: RunNews) => void) => {
    tell = onNews;
    return new Promise<string>((resolve) => (end = resolve));
  },
} as Partial<RunHandle<string>> as RunHandle<string>;

const said: string[] = [];
const at = { out: { json: false, say: (text: string) => void said.push(text) } } as unknown as Workplace;
const silence = () => said.filter((text) => text.includes('worker'));
const news: RunNews = { steps: [], headline: '', working: [] };

beforeEach(() => {
  said.length = 0;
  jest.useFakeTimers();
});
afterEach(() => void jest.useRealTimers());

test('who follows a run is told when no worker began it, when none answers any more, and again after one was back', async () => {
  const outcome = followToTheEnd(at, handle, { workflowId: 'train/m/all', runId: 'r', url: null });
  jest.advanceTimersByTime(9000);
  expect(silence()).toEqual([]);
  jest.advanceTimersByTime(2000);
  expect(silence()).toEqual([expect.stringContaining('no step has begun yet')]);
  tell(news);
  jest.advanceTimersByTime(9000);
  tell(news);
  jest.advanceTimersByTime(9000);
  expect(silence()).toHaveLength(1);
  jest.advanceTimersByTime(2000);
  expect(silence()[1]).toContain('no worker answers: is one running? The run goes on when it is back');
  tell(news);
  jest.advanceTimersByTime(11_000);
  expect(silence()).toHaveLength(3);
  end('promoted');
  expect(await outcome).toBe('promoted');
});
