import type { Finish } from '../core/finish.ts';
import { type Calibration, certainty, type Isotonic, type Platt } from '../core/metrics/calibration.ts';
import { appendGraph } from './append.ts';
import { elementTypes } from './proto.ts';
import { float64, type Graph, type Initializer, int64, node, type Node } from './writer.ts';

/**
 * Puts what was learned about a complete model's answers behind it. The operators mean the same in every operator set from 10 on, which is the least that a
 * complete model of a table is in, and compute in float64.
 */
export function finishModel(onnx: Uint8Array, finish: Finish): Uint8Array {
  const { interval, calibration, threshold } = finish;
  if (interval !== undefined) return appendGraph(onnx, 'prediction', bounds(interval.halfWidth));
  return calibration === undefined && threshold === undefined ? onnx : appendGraph(onnx, 'probability', calls(finish));
}

// Names with a slash are no column's.
const answer = { name: 'finish/answer', type: 'float32', dims: [-1] } as const;
const widened = node('Cast', ['finish/answer'], 'finish/wide', { to: elementTypes.float64 });
const narrowed = (from: string, to: string): Node => node('Cast', [from], to, { to: elementTypes.float32 });

/** A prediction as it is, and the bounds around it. */
const bounds = (halfWidth: number): Graph => ({
  name: 'table',
  inputs: [answer],
  outputs: ['prediction', 'lower', 'upper'].map((name) => ({ ...answer, name })),
  initializers: [float64('finish/half-width', [halfWidth], [])],
  nodes: [
    node('Identity', ['finish/answer'], 'prediction'),
    widened,
    node('Sub', ['finish/wide', 'finish/half-width'], 'finish/lower'),
    node('Add', ['finish/wide', 'finish/half-width'], 'finish/upper'),
    narrowed('finish/lower', 'lower'),
    narrowed('finish/upper', 'upper'),
  ],
});

/** The probability that is given, the one that it was made of, and whether the row is called positive. */
function calls({ calibration, threshold }: Finish): Graph {
  const bent = calibration && calibrated(calibration);
  return {
    name: 'table',
    inputs: [answer],
    outputs: [
      { ...answer, name: 'probability' },
      ...(bent ? [{ ...answer, name: 'uncalibrated' }] : []),
      ...(threshold === undefined ? [] : [{ name: 'positive', type: 'bool', dims: [-1] } as const]),
    ],
    initializers: [...(bent?.constants ?? []), ...(threshold === undefined ? [] : [float64('finish/threshold', [threshold], [])])],
    nodes: [
      ...(bent
        ? [node('Identity', ['finish/answer'], 'uncalibrated'), widened, ...bent.nodes, narrowed('finish/calibrated', 'probability')]
        : [node('Identity', ['finish/answer'], 'probability')]),
      ...(threshold === undefined
        ? []
        : [
            // What a caller sees is what is compared.
            node('Cast', ['probability'], 'finish/seen', { to: elementTypes.float64 }),
            node('Less', ['finish/seen', 'finish/threshold'], 'finish/below'),
            node('Not', ['finish/below'], 'positive'),
          ]),
    ],
  };
}

/** Nodes from `finish/wide` to `finish/calibrated`. */
interface Bend {
  readonly constants: readonly Initializer[];
  readonly nodes: readonly Node[];
}

const calibrated = (calibration: Calibration): Bend => (calibration.method === 'platt' ? platt(calibration) : isotonic(calibration));

const platt = ({ slope, intercept }: Platt): Bend => ({
  constants: Object.entries({ least: certainty, most: 1 - certainty, one: 1, slope, intercept }).map(([name, value]) =>
    float64(`finish/${name}`, [value], []),
  ),
  nodes: [
    node('Max', ['finish/wide', 'finish/least'], 'finish/above'),
    node('Min', ['finish/above', 'finish/most'], 'finish/inside'),
    node('Sub', ['finish/one', 'finish/inside'], 'finish/rest'),
    node('Div', ['finish/inside', 'finish/rest'], 'finish/odds'),
    node('Log', ['finish/odds'], 'finish/log-odds'),
    node('Mul', ['finish/log-odds', 'finish/slope'], 'finish/sloped'),
    node('Add', ['finish/sloped', 'finish/intercept'], 'finish/moved'),
    node('Sigmoid', ['finish/moved'], 'finish/calibrated'),
  ],
});

/** Straight lines between knots as a sum of ramps: each rises from 0 to 1 between two knots, and counts as much as the line does there. */
function isotonic({ from, to }: Isotonic): Bend {
  // A line of one knot is level, and any ramp will do.
  const starts = from.length === 1 ? [...from, from[0]! + 1] : from;
  const ramps = starts.slice(1).map((end, at) => ({ start: starts[at]!, length: end - starts[at]!, rise: (to[at + 1] ?? to[at]!) - to[at]! }));
  const row = [1, ramps.length];
  return {
    constants: [
      float64(
        'finish/start',
        ramps.map(({ start }) => start),
        row,
      ),
      float64(
        'finish/length',
        ramps.map(({ length }) => length),
        row,
      ),
      float64(
        'finish/rise',
        ramps.map(({ rise }) => rise),
        [ramps.length, 1],
      ),
      float64('finish/lowest', [to[0]!], []),
      float64('finish/none', [0], []),
      float64('finish/whole', [1], []),
      int64('finish/column', [-1, 1]),
      int64('finish/flat', [-1]),
    ],
    nodes: [
      node('Reshape', ['finish/wide', 'finish/column'], 'finish/rows'),
      node('Sub', ['finish/rows', 'finish/start'], 'finish/beyond'),
      node('Div', ['finish/beyond', 'finish/length'], 'finish/share'),
      node('Max', ['finish/share', 'finish/none'], 'finish/climbing'),
      node('Min', ['finish/climbing', 'finish/whole'], 'finish/climbed'),
      node('MatMul', ['finish/climbed', 'finish/rise'], 'finish/risen'),
      node('Reshape', ['finish/risen', 'finish/flat'], 'finish/height'),
      node('Add', ['finish/height', 'finish/lowest'], 'finish/calibrated'),
    ],
  };
}
