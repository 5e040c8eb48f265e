import type { RunHandle, RunNews } from '../client/index.ts';
import type { StepProgress } from '../core/run.ts';
import { MlError } from '../core/errors.ts';
import { styledTalk } from './output.ts';
import { openProgress } from './progress.ts';

/** Watching was given up, by Ctrl-C; the run goes on. */
export const leftAlone = Symbol('left alone');

/** Watches a run to its end, and says each step as it ends. Ctrl-C stops watching. */
export async function followRun<Outcome>(
  handle: RunHandle<Outcome>,
  onNews: (news: RunNews, line: (text: string) => void) => void = () => {},
): Promise<Outcome | typeof leftAlone> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.on('SIGINT', interrupt);
  const display = openProgress();
  const ended = endedSteps();
  try {
    return await handle.follow((news) => {
      for (const step of ended(news.steps)) display.line(stepLine(step));
      onNews(news, display.line);
      display.working(news.working);
    }, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted && !(error instanceof MlError)) return leftAlone;
    throw error;
  } finally {
    display.end();
    process.off('SIGINT', interrupt);
  }
}

/** Gives the steps that ended since the last call. A run tells only its last steps, so that places in the list say nothing. */
function endedSteps(): (steps: readonly StepProgress[]) => readonly StepProgress[] {
  const told = new Map<string, number>();
  return (steps) => {
    const now = new Map<string, number>();
    return steps.filter((step) => {
      if (step.state === 'running') return false;
      const key = `${step.step} ${step.summary} ${step.state}`;
      now.set(key, (now.get(key) ?? 0) + 1);
      if (now.get(key)! <= (told.get(key) ?? 0)) return false;
      told.set(key, now.get(key)!);
      return true;
    });
  };
}

function stepLine({ step, summary, state }: StepProgress): string {
  const mark = state === 'done' ? styledTalk('green', '✔') : styledTalk('red', '✘');
  return `${mark} ${step.padEnd(18)} ${styledTalk('dim', summary)}`;
}
