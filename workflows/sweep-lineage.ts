import { setCurrentDetails } from '@temporalio/workflow';
import { steps } from './steps.ts';

/** Complete the archived history of every run that has closed, whoever closed it: terminated, timed out or killed runs leave no record themselves. */
export async function sweepLineage(): Promise<{ readonly outcome: 'completed'; readonly archived: number }> {
  const { archived } = await steps.sweepRuns({});
  setCurrentDetails(`${archived} closed runs archived`);
  return { outcome: 'completed', archived };
}
