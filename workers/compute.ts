import type { Compute } from '../activities/compute/compute.ts';
import { createChildPool } from './child-process/child-pool.ts';
import { compiled } from './compiled.ts';

/** Whoever waits for a step wants a sign of life every few seconds. */
const beatMs = 1000;

/** Compute in recycled child processes. `size` is how many tasks run at the same time; the compute worker takes no more than that. */
export function openCompute(size: number): Compute & { readonly pids: () => readonly number[]; readonly close: () => Promise<void> } {
  const pool = createChildPool({ entry: compiled('workers/compute-process'), size });
  return {
    async run(name, input, { signal, onProgress, checkpoint }) {
      // This cannot hide a hang: the pool listens to the child's own beats, and kills one that is silent for too long.
      const beat = onProgress && setInterval(() => onProgress(), beatMs);
      try {
        return await pool.run(
          { name, input },
          {
            signal,
            ...(onProgress && { onProgress: onProgress as (progress: never) => void }),
            ...(checkpoint && { answers: { load: () => checkpoint.load(), save: (bytes: never) => checkpoint.save(bytes) } }),
          },
        );
      } finally {
        clearInterval(beat);
      }
    },
    pids: pool.pids,
    close: () => pool.close(),
  };
}
