import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { stepsFor } from '../../../workflows/index.ts';
import type * as own from './large.steps.ts';

const { write, read } = stepsFor<typeof own>();
const light = stepsFor<typeof own>({ light: true });

export interface LargeRequest {
  readonly letters: number;
  /** Where the text is to go through Temporal. */
  readonly as: 'output' | 'input' | 'light-input' | 'result' | 'update' | 'argument';
  readonly text?: string;
}

/** Sends a text through one of Temporal's doors. */
export async function sendLarge({ letters, as }: LargeRequest): Promise<string | number> {
  if (as === 'output') return (await write({ letters })).length;
  const text = 'x'.repeat(letters);
  if (as === 'input') return read({ text });
  if (as === 'light-input') return light.read({ text });
  if (as === 'update') {
    let answered = false;
    setHandler(defineUpdate<string>('tell'), () => {
      answered = true;
      return text;
    });
    await condition(() => answered);
    return 0;
  }
  return text;
}
