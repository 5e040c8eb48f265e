import type { Finish } from '../core/finish.ts';
import { appendGraph } from './append.ts';
import { elementTypes } from './proto.ts';
import { float64, type Graph, node } from './writer.ts';

/** Puts what was learned about a model's answers behind it: operators that mean the same in every operator set from 7 on, and compute in float64. */
export function finishModel(onnx: Uint8Array, { interval }: Finish): Uint8Array {
  return interval === undefined ? onnx : appendGraph(onnx, 'prediction', bounds(interval.halfWidth));
}

// Names with a slash are no column's.
const answer = { name: 'finish/answer', type: 'float32', dims: [-1] } as const;

/** A prediction as it is, and the bounds around it. */
const bounds = (halfWidth: number): Graph => ({
  name: 'table',
  inputs: [answer],
  outputs: ['prediction', 'lower', 'upper'].map((name) => ({ ...answer, name })),
  initializers: [float64('finish/half-width', [halfWidth], [])],
  nodes: [
    node('Identity', ['finish/answer'], 'prediction'),
    node('Cast', ['finish/answer'], 'finish/wide', { to: elementTypes.float64 }),
    node('Sub', ['finish/wide', 'finish/half-width'], 'finish/lower'),
    node('Add', ['finish/wide', 'finish/half-width'], 'finish/upper'),
    node('Cast', ['finish/lower'], 'lower', { to: elementTypes.float32 }),
    node('Cast', ['finish/upper'], 'upper', { to: elementTypes.float32 }),
  ],
});
