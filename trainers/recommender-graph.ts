import { signature } from '../core/tasks/recommendation.ts';
import { float32, model, node } from '../onnx/writer.ts';
import type { Initializer, Node } from '../onnx/writer.ts';

/**
 * Serialises a recommender: `nodes` make `scores` (float32, one per item of the catalogue) from the positives of a request: `items` (positions),
 * `values` (ratings) and `ages` (days). A request may be empty, and every recommender takes all three, whatever it uses.
 */
export const recommender = (itemCount: number, initializers: readonly Initializer[], nodes: readonly Node[]): Uint8Array =>
  model({
    name: 'recommender',
    inputs: signature.inputs,
    outputs: [{ name: 'scores', type: 'float32', dims: [itemCount] }],
    initializers,
    nodes,
  });

/** A recommender that tells everybody the same. */
export const constantScores = (scores: Float32Array): Uint8Array =>
  recommender(scores.length, [float32('constant', scores)], [node('Identity', ['constant'], 'scores')]);
