import type { Compute } from '../activities/compute/compute.ts';
import { createChildPool } from './child-process/child-pool.ts';
import { compiled } from './compiled.ts';

/** Compute in recycled child processes. `size` is how many tasks run at the same time; the compute worker takes no more than that. */
export function openCompute(size: number): Compute & { readonly pids: () => readonly number[]; readonly close: () => Promise<void> } {
  const pool = createChildPool({ entry: compiled('workers/compute-process'), size });
  return {
    run: (name, input, { signal, onProgress, checkpoint }) =>
      pool.run(
        { name, input },
        {
          signal,
          ...(onProgress && { onProgress: onProgress as (progress: never) => void, onBeat: () => onProgress() }),
          ...(checkpoint && { answers: { load: () => checkpoint.load(), save: (bytes: never) => checkpoint.save(bytes) } }),
        },
      ),
    pids: pool.pids,
    close: () => pool.close(),
  };
}
