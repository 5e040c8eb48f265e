import { z } from 'zod';
import { random } from '../core/random.ts';
import type { Trainer } from '../core/trainer.ts';
import { float32, int64, node } from '../onnx/writer.ts';
import type { Node } from '../onnx/writer.ts';
import { train } from './epochs.ts';
import { factorInPlace, solveInPlace, solveLower, solveTransposed } from './linear-algebra.ts';
import type { Breathe } from './linear-algebra.ts';
import { binary, byItem, positivesOf } from './positives.ts';
import { recommender } from './recommender-graph.ts';

export interface ImplicitAlsParameters {
  readonly factors: number;
  /** Ridge penalty λ on both sides. */
  readonly l2: number;
  /** How much more a like counts than a film that was not seen: confidence 1 + α against 1. */
  readonly confidence: number;
  readonly epochs: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    'implicit-als': ImplicitAlsParameters;
  }
}

/**
 * Conjugate-gradient steps of the fold-in. The whitened system (below) is the identity plus a few likes: float32 accuracy after about ten.
 */
const foldInSteps = 16;

/**
 * Matrix factorisation of implicit feedback by alternating least squares (Hu, Koren, Volinsky 2008): all pairs count, likes count 1 + α times.
 *
 * The model holds items only. A request's user is solved for inside the graph, so that everybody with a like has a place, known or not.
 */
export const implicitAls: Trainer<'recommendation', ImplicitAlsParameters> = {
  name: 'implicit-als',
  tasks: ['recommendation'],
  parameters: z.strictObject({
    factors: z.int().positive().max(256).default(32),
    l2: z.number().positive().default(10),
    confidence: z.number().positive().default(1),
    epochs: z.int().positive().default(15),
  }),
  async fit(data, parameters, context) {
    const { factors } = parameters;
    const x = binary(positivesOf(data));
    const columns = byItem(x);
    const draw = random(context.seed);
    const items = Float64Array.from({ length: x.itemCount * factors }, () => 0.1 * draw.normal());
    const users = new Float64Array(x.users * factors);
    const { onnx, epochs } = await train(
      {
        epochs: parameters.epochs,
        // The users follow from the items: they are no state.
        state: items,
        async step(_epoch, breathe) {
          await solveSide({ starts: x.starts, others: x.items }, items, users, parameters, (share) => breathe(share / 2));
          await solveSide({ starts: columns.starts, others: columns.users }, users, items, parameters, (share) => breathe(0.5 + share / 2));
        },
        model: (state) => graph(state, x.itemCount, parameters),
      },
      context,
    );
    return { onnx, chosen: { ...parameters, epochs }, facts: { users: x.users, positives: x.items.length, epochs } };
  },
};

/**
 * Solves each row of `into` with `from` held: (FᵀF + λI + α Σ f·fᵀ) row = (1 + α) Σ f, with sums over the row's likes. In whitened coordinates
 * the first part is the identity; a row with fewer likes than factors is then cheaper to solve like by like:
 * row = (1 + α) Wᵀ(I + α W·Wᵀ)⁻¹ 1, for W the rows of its likes.
 */
async function solveSide(likes: Likes, from: Float64Array, into: Float64Array, parameters: ImplicitAlsParameters, breathe: Breathe): Promise<void> {
  const { factors, l2, confidence } = parameters;
  const factor = gramFactor(from, factors, l2);
  const white = whitened(from, factor, factors);
  const a = new Float64Array(factors * factors);
  const coefficients = new Float64Array(factors);
  const rows = likes.starts.length - 1;
  for (let row = 0; row < rows; row++) {
    const others = likes.others.subarray(likes.starts[row]!, likes.starts[row + 1]!);
    const solution = into.subarray(row * factors, (row + 1) * factors).fill(0);
    if (others.length < factors) solveByLikes(white, others, confidence, a, coefficients, solution);
    else solveByFactors(white, others, confidence, a, solution);
    solveTransposed(factor, solution, factors);
    if (row % 256 === 255) await breathe(row / rows);
  }
}

/** Whose likes they are: those of row `r` are `others[starts[r]]` … `others[starts[r + 1] - 1]`. */
interface Likes {
  readonly starts: Int32Array;
  readonly others: Int32Array;
}

function solveByFactors(white: Float64Array, others: Int32Array, confidence: number, a: Float64Array, solution: Float64Array): void {
  const factors = solution.length;
  a.fill(0);
  for (let i = 0; i < factors; i++) a[i * factors + i] = 1;
  for (const other of others) {
    const from = other * factors;
    for (let i = 0; i < factors; i++) {
      const value = white[from + i]!;
      solution[i]! += (1 + confidence) * value;
      const scaled = confidence * value;
      // The lower triangle is all that the factorisation reads.
      for (let k = 0; k <= i; k++) a[i * factors + k]! += scaled * white[from + k]!;
    }
  }
  solveInPlace(a, solution, factors);
}

function solveByLikes(
  white: Float64Array,
  others: Int32Array,
  confidence: number,
  a: Float64Array,
  coefficients: Float64Array,
  solution: Float64Array,
): void {
  const factors = solution.length;
  const count = others.length;
  for (let i = 0; i < count; i++) {
    const from = others[i]! * factors;
    for (let k = 0; k <= i; k++) {
      const to = others[k]! * factors;
      let sum = 0;
      for (let f = 0; f < factors; f++) sum += white[from + f]! * white[to + f]!;
      a[i * count + k] = confidence * sum + (i === k ? 1 : 0);
    }
    coefficients[i] = 1 + confidence;
  }
  solveInPlace(a, coefficients, count);
  for (let i = 0; i < count; i++) {
    const from = others[i]! * factors;
    for (let f = 0; f < factors; f++) solution[f]! += coefficients[i]! * white[from + f]!;
  }
}

/** L of FᵀF + λI = L·Lᵀ. */
function gramFactor(rows: Float64Array, factors: number, l2: number): Float64Array {
  const gram = new Float64Array(factors * factors);
  for (let from = 0; from < rows.length; from += factors) {
    for (let i = 0; i < factors; i++) {
      const value = rows[from + i]!;
      for (let k = 0; k <= i; k++) gram[i * factors + k]! += value * rows[from + k]!;
    }
  }
  for (let i = 0; i < factors; i++) gram[i * factors + i]! += l2;
  factorInPlace(gram, factors);
  return gram;
}

/** Rows in coordinates in which FᵀF + λI = L·Lᵀ is the identity: W = F·L⁻ᵀ. */
function whitened(rows: Float64Array, factor: Float64Array, factors: number): Float64Array {
  const white = rows.slice();
  for (let from = 0; from < white.length; from += factors) solveLower(factor, white.subarray(from, from + factors), factors);
  return white;
}

/**
 * The model: items in whitened coordinates. A user with likes S is the z of (I + α Σ w·wᵀ) z = (1 + α) Σ w, and scores are W·z: nothing else
 * needs to be in it, and conjugate gradients converge fast.
 */
function graph(items: Float64Array, itemCount: number, parameters: ImplicitAlsParameters): Uint8Array {
  const { factors, l2, confidence } = parameters;
  // One more row, of zeros: a request without likes is a request for nothing in particular, not an empty matrix.
  const table = new Float32Array((itemCount + 1) * factors);
  table.set(whitened(items, gramFactor(items, factors, l2), factors));
  return recommender(
    itemCount,
    [
      float32('table', table, [itemCount + 1, factors]),
      int64('nothing', [itemCount]),
      float32('confidence', [confidence], []),
      float32('weight', [1 + confidence], []),
      float32('zero-user', new Float32Array(factors), [factors, 1]),
      // Keeps 0 / 0 from being NaN once nothing is left to solve.
      float32('tiny', [1e-30], []),
      int64('from', [0]),
      int64('to', [itemCount]),
      int64('columns', [1]),
    ],
    [
      node('Concat', ['items', 'nothing'], 'some-items', { axis: 0 }),
      node('Gather', ['table', 'some-items'], 'likes'),
      node('Transpose', ['likes'], 'likes-across', { perm: [1, 0] }),
      node('ReduceSum', ['likes-across', 'columns'], 'sum', { keepdims: 1 }),
      node('Mul', ['sum', 'weight'], 'residual-0'),
      node('Identity', ['residual-0'], 'direction-0'),
      node('Identity', ['zero-user'], 'user-0'),
      node('Mul', ['residual-0', 'residual-0'], 'squares-0'),
      node('ReduceSum', ['squares-0'], 'error-0', { keepdims: 0 }),
      ...Array.from({ length: foldInSteps }, (_, step) => conjugateGradientStep(step)).flat(),
      node('Slice', ['table', 'from', 'to'], 'item-table'),
      node('MatMul', ['item-table', `user-${foldInSteps}`], 'column'),
      node('Squeeze', ['column', 'columns'], 'scores'),
    ],
  );
}

/** One step of conjugate gradients on (I + α·likesᵀ·likes) user = sum. */
function conjugateGradientStep(n: number): readonly Node[] {
  const next = n + 1;
  return [
    node('MatMul', ['likes', `direction-${n}`], `seen-${n}`),
    node('MatMul', ['likes-across', `seen-${n}`], `back-${n}`),
    node('Mul', [`back-${n}`, 'confidence'], `confident-${n}`),
    node('Add', [`confident-${n}`, `direction-${n}`], `image-${n}`),
    node('Mul', [`direction-${n}`, `image-${n}`], `bends-${n}`),
    node('ReduceSum', [`bends-${n}`], `curvature-${n}`, { keepdims: 0 }),
    node('Add', [`curvature-${n}`, 'tiny'], `divisor-${n}`),
    node('Div', [`error-${n}`, `divisor-${n}`], `stride-${n}`),
    node('Mul', [`direction-${n}`, `stride-${n}`], `move-${n}`),
    node('Add', [`user-${n}`, `move-${n}`], `user-${next}`),
    node('Mul', [`image-${n}`, `stride-${n}`], `gone-${n}`),
    node('Sub', [`residual-${n}`, `gone-${n}`], `residual-${next}`),
    node('Mul', [`residual-${next}`, `residual-${next}`], `squares-${next}`),
    node('ReduceSum', [`squares-${next}`], `error-${next}`, { keepdims: 0 }),
    node('Add', [`error-${n}`, 'tiny'], `before-${n}`),
    node('Div', [`error-${next}`, `before-${n}`], `turn-${n}`),
    node('Mul', [`direction-${n}`, `turn-${n}`], `kept-${n}`),
    node('Add', [`residual-${next}`, `kept-${n}`], `direction-${next}`),
  ];
}
