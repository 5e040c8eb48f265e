import type { TrainingContext } from '../core/trainer.ts';
import type { Breathe } from './linear-algebra.ts';

/** A training that goes on in steps. All that a step changes is in `state`, and a step depends on nothing but `state` and its number. */
export interface Training {
  readonly epochs: number;
  readonly state: Float64Array;
  /** One step, numbered from 1. */
  step(epoch: number, breathe: Breathe): Promise<void>;
  /** The model of a state. */
  model(state: Float64Array): Uint8Array;
}

/** With so many epochs without a better mark on the validation rows, training stops. */
const patience = 5;

/** Where a training stands, for a checkpoint: both states and the marks that led to the choice so far. */
interface Position {
  epoch: number;
  bestEpoch: number;
  bestMark: number;
  readonly best: Float64Array;
}

/**
 * Runs the epochs, from the last checkpoint on if there is one. With `validate` it stops early and returns the best epoch's model and number;
 * without, all epochs are run. A training that was killed and goes on ends with the same bytes as one that was not.
 */
export async function train(training: Training, context: TrainingContext): Promise<{ onnx: Uint8Array; epochs: number }> {
  const { state, epochs } = training;
  const position: Position = { epoch: 0, bestEpoch: 0, bestMark: -Infinity, best: context.validate ? state.slice() : new Float64Array(0) };
  const saved = await context.checkpoint.load();
  if (saved) restore(saved, position, state);
  while (position.epoch < epochs && (!context.validate || position.epoch - position.bestEpoch < patience)) {
    const epoch = position.epoch + 1;
    await training.step(epoch, async (share) => {
      await context.progress(epoch - 1 + share, epochs);
      context.signal.throwIfAborted();
    });
    position.epoch = epoch;
    const mark = await context.validate?.(training.model(state));
    if (mark !== undefined && mark > position.bestMark) {
      position.bestMark = mark;
      position.bestEpoch = epoch;
      position.best.set(state);
    }
    // First the word, then the checkpoint: the learning curve of a resumed training has each epoch once.
    await context.progress(epoch, epochs, mark === undefined ? undefined : { validation: mark });
    await context.checkpoint.save(pack(position, state));
    context.signal.throwIfAborted();
  }
  // No epoch is best when there was nothing to validate on.
  if (position.bestEpoch > 0) return { onnx: training.model(position.best), epochs: position.bestEpoch };
  return { onnx: training.model(state), epochs: position.epoch };
}

function pack({ epoch, bestEpoch, bestMark, best }: Position, state: Float64Array): Uint8Array {
  const values = new Float64Array(3 + best.length + state.length);
  values.set([epoch, bestEpoch, bestMark]);
  values.set(best, 3);
  values.set(state, 3 + best.length);
  return new Uint8Array(values.buffer);
}

function restore(saved: Uint8Array, position: Position, state: Float64Array): void {
  const values = new Float64Array(saved.slice().buffer);
  [position.epoch, position.bestEpoch, position.bestMark] = values as unknown as [number, number, number];
  position.best.set(values.subarray(3, 3 + position.best.length));
  state.set(values.subarray(3 + position.best.length));
}
