import type { StepContext } from 'perennial-ml';

/**
 * A step of your own: an ordinary activity, which may touch the world. Temporal does it again after a crash, so that it must bear being done twice. A chat, a
 * mail or a ticket would go here.
 */
export async function tellPeople({ text }: { readonly text: string }, { log, run }: StepContext): Promise<{ readonly told: string }> {
  log.info('news', { text, workflow: run.workflowId });
  return { told: text };
}
