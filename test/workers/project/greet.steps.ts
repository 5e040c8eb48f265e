import type { StepContext } from '../../../core/step-context.ts';

/** Greets, and says who did it. */
export async function greet({ name }: { readonly name: string }, { run }: StepContext): Promise<{ readonly greeting: string; readonly pid: number }> {
  return { greeting: `Hello ${name}, from ${run.workflowType}`, pid: process.pid };
}

export async function countTo(last: number): Promise<number> {
  return last;
}
