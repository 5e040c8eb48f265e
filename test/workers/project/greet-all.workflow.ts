import { stepsFor } from '../../../workflows/index.ts';
import type * as own from './greet.steps.ts';

const { greet } = stepsFor<typeof own>();
const accelerated = stepsFor<typeof own>({ role: 'gpu' });
const { countTo } = stepsFor<typeof own>({ light: true });

/** A step on the queue of the control role, one on the accelerator's, and a light one. */
export async function greetAll({ name }: { readonly name: string }) {
  const here = await greet({ name });
  const there = await accelerated.greet({ name });
  return { greeting: here.greeting, here: here.pid, there: there.pid, counted: await countTo(3) };
}
