import { once } from 'node:events';
import type { RunHandle } from '../client/index.ts';
import type { StepProgress } from '../core/run.ts';
import { asJson, coded, exitCodes } from './failure.ts';
import { styledTalk } from './output.ts';
import { openProgress } from './progress.ts';
import type { Reached, Workplace } from './workplace.ts';

/** A run that this command started or joined. */
export interface StartedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** In the Temporal web UI, where that is known. */
  readonly url: string | null;
}

export const startedRun = ({ runUrl }: Reached, { workflowId, runId }: Omit<StartedRun, 'url'>): StartedRun => ({
  workflowId,
  runId,
  url: runUrl?.({ workflowId, runId }) ?? null,
});

/** Leaves a run that was just started alone, and says how to come back. */
export function detach(at: Workplace, run: StartedRun): number {
  at.out.result({ run }, () => `${run.workflowId} runs: ${run.url ?? run.runId}\n${howToReturn(run)}`);
  return exitCodes.done;
}

const howToReturn = ({ workflowId }: StartedRun): string => `look: perennial show ${workflowId}    stop it: perennial cancel ${workflowId}`;

/** A worker answers within a second or two. */
const patienceMs = 10_000;

/**
 * Watches a run, and says each step as it ends. Gives its outcome, or the exit code of a command that ends without one: Ctrl-C stops watching, and
 * a run that failed has failed, though nothing was wrong with the command line.
 */
export async function followToTheEnd<Outcome>(
  at: Workplace,
  handle: RunHandle<Outcome>,
  run: StartedRun,
  onNews: (line: (text: string) => void) => void = () => {},
): Promise<Outcome | number> {
  at.out.say(`${run.workflowId} runs${run.url === null ? '' : `: ${run.url}`}`);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.on('SIGINT', interrupt);
  // Where no worker answers, the question how far the run is stays open for long.
  const stopped = once(interrupted.signal, 'abort').then(() => interrupted.signal.throwIfAborted());
  stopped.catch(() => {});
  let heard = false;
  const silence = setTimeout(() => {
    const said = heard ? 'no worker answers: is one running? The run goes on when it is back' : 'no step has begun yet: is a worker running?';
    at.out.say(`${said}; \`perennial dev\` starts one`);
  }, patienceMs);
  try {
    const watched = watch(handle, interrupted.signal, (line) => {
      heard = true;
      silence.refresh();
      onNews(line);
    });
    watched.catch(() => {});
    return (await Promise.race([watched, stopped])) as Outcome;
  } catch (thrown) {
    if (interrupted.signal.aborted) {
      at.out.say(`no longer watching; the run goes on\n${howToReturn(run)}`);
      if (at.out.json) at.out.result({ run, watching: false }, () => '');
      return leave(exitCodes.interrupted);
    }
    const error = await coded(thrown);
    if (at.out.json) at.out.result({ ...asJson(error), run }, () => '');
    at.out.say(`error [${error.code}]: ${error.message}\nits steps: perennial show ${run.runId}`);
    return exitCodes.failed;
  } finally {
    clearTimeout(silence);
    process.off('SIGINT', interrupt);
  }
}

/** Ends the process now: a question that waits for Temporal cannot be withdrawn, and would hold it for long. */
async function leave(code: number): Promise<never> {
  await new Promise((written) => process.stdout.write('', written));
  process.exit(code);
}

async function watch<Outcome>(handle: RunHandle<Outcome>, signal: AbortSignal, onNews: (line: (text: string) => void) => void): Promise<Outcome> {
  const display = openProgress();
  const ended = endedSteps();
  try {
    return await handle.follow((news) => {
      for (const step of ended(news.steps)) display.line(stepLine(step));
      onNews(display.line);
      display.working(news.working);
    }, signal);
  } finally {
    display.end();
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
