import { defineQuery } from '@temporalio/workflow';
import type { RunProgress, StepProgress } from '../core/run.ts';

/** Every run answers it, also one of your own. */
export const progressQuery = defineQuery<RunProgress>('progress');

/** What this run has done so far. One per workflow execution: the sandbox gives each its own module instances. */
class RunLog {
  #steps: StepProgress[] = [];
  headline = '';

  start(step: string, summary: string): number {
    return this.#steps.push({ step, summary, state: 'running' }) - 1;
  }

  end(index: number, state: 'done' | 'failed'): void {
    const step = this.#steps[index];
    if (step !== undefined) this.#steps[index] = { ...step, state };
  }

  /** The last steps only: a run of thousands of steps must not outgrow a query's answer. */
  get progress(): RunProgress {
    return { steps: this.#steps.slice(-200), headline: this.headline };
  }
}

export const runLog = new RunLog();
