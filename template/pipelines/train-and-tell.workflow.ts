import { executeChild } from '@temporalio/workflow';
import { steps, stepsFor, train, trainStart } from 'perennial-ml/workflow';
import type * as news from './news.steps.ts';
import { sentence } from './sentence.ts';

const { tellPeople } = stepsFor<typeof news>();

/**
 * Trains a model by the spec that was applied last, and tells people how it ended: a workflow of your own, beside Perennial's. Like any Temporal workflow it
 * orders and branches, and leaves all that touches the world to steps.
 */
export async function trainAndTell({ model }: { readonly model: string }): Promise<{ readonly told: string }> {
  const { spec } = await steps.readApplied({ model });
  const outcome = await executeChild(train, trainStart({ spec }));
  return tellPeople({ text: sentence(outcome) });
}
