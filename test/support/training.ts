import type { TrainingContext } from '../../core/trainer.ts';

/** A context for a fit in this process: seed 1, checkpoints in memory, nothing to choose on unless given. */
export function trainingContext(given: Partial<TrainingContext> = {}): TrainingContext {
  let saved: Uint8Array | undefined;
  return {
    signal: new AbortController().signal,
    seed: 1,
    progress: async () => {},
    checkpoint: {
      load: async () => saved,
      save: async (bytes) => {
        saved = bytes.slice();
      },
    },
    ...given,
  };
}
