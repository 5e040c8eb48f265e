import { z } from 'zod';
import { random } from '../core/random.ts';
import type { Trainer } from '../core/trainer.ts';
import { constantScores } from './recommender-graph.ts';

export type RandomParameters = Readonly<Record<never, never>>;

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    random: RandomParameters;
  }
}

/** A shuffled catalogue, the same for everybody: what an exam gives for nothing. */
export const randomOrder: Trainer<'recommendation', RandomParameters> = {
  name: 'random',
  tasks: ['recommendation'],
  parameters: z.strictObject({}),
  async fit(data, _parameters, context) {
    const draw = random(context.seed);
    const scores = Float32Array.from(data.catalogue, () => draw.next());
    await context.progress(1, 1);
    return { onnx: constantScores(scores), chosen: {}, facts: { items: scores.length } };
  },
};
