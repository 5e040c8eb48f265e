import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import { stepsFor } from '../../../workflows/index.ts';
import type * as own from './greet.steps.ts';

/** Waits until it is told to go on, and says which process it then finds itself in. */
export async function waitAndTell(): Promise<number> {
  let told = false;
  setHandler(defineSignal('goOn'), () => void (told = true));
  await condition(() => told);
  return (await stepsFor<typeof own>().greet({ name: 'whoever is there' })).pid;
}
