import type { TrainingContext } from '../core/trainer.ts';
import type { Breathe } from './linear-algebra.ts';

/** Progress of one long computation in thousandths; stops it when the run is cancelled. `from` and `to` are its share of the whole fit. */
export function progressOf({ progress, signal }: TrainingContext, from = 0, to = 1): Breathe {
  let last = -1;
  return async (share) => {
    const done = Math.round(1000 * (from + share * (to - from)));
    if (done === last) return;
    last = done;
    await progress(done, 1000);
    signal.throwIfAborted();
  };
}
