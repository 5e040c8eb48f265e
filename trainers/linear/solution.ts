import type { Json } from '../../core/artifact.ts';
import type { Examples } from '../../core/examples.ts';
import type { TrainingContext } from '../../core/trainer.ts';
import { cholesky, solveLower, solveTransposed } from '../linear-algebra.ts';
import type { Breathe } from '../linear-algebra.ts';
import { progressOf } from '../progress.ts';
import { taskOf, widthOf } from '../table-graph.ts';
import { blockRows, eachBlock } from './design.ts';
import type { Block, Design } from './design.ts';
import { logistic, softmax } from './losses.ts';
import { minimise } from './minimise.ts';
import { addGram, addProduct, scoreRows } from './sums.ts';

export interface Solution {
  /** For each number of the answer the weights of the design's columns. */
  readonly weights: readonly Float64Array[];
  readonly facts: Readonly<Record<string, Json>>;
}

/** The weights that fit the rows best at penalty `l2`. */
export const solutionOf = (rows: Examples, design: Design, l2: number, context: TrainingContext): Promise<Solution> =>
  (taskOf(rows) === 'regression' ? ridge : classifier)(rows, design, l2, context);

/** (XᵀX + λI)·w = Xᵀy, solved exactly. */
async function ridge(rows: Examples, design: Design, l2: number, context: TrainingContext): Promise<Solution> {
  const mean = rows.labels.reduce((sum, label) => sum + label, 0) / rows.labels.length;
  const centred = rows.labels.map((label) => label - mean);
  const once = new Float64Array(blockRows).fill(1);
  const weights = new Float64Array(design.columns);
  const gram = new Float64Array(design.columns ** 2);
  const add = (block: Block) => {
    addGram(gram, block, design, once);
    addProduct(weights, block, design, centred, block.from);
  };
  await eachBlock(design, rows, add, progressOf(context, 0, 0.5));
  await factor(gram, design.columns, l2, progressOf(context, 0.5, 1));
  solve(gram, weights);
  weights[0]! += mean;
  return { weights: [weights], facts: {} };
}

/** Least Σ log loss + λ/2·|w|². Steps are measured by the Hessian; of several classes by one that is the same for all. */
async function classifier(rows: Examples, design: Design, l2: number, context: TrainingContext): Promise<Solution> {
  const width = widthOf(rows);
  const loss = width === 1 ? logistic : softmax(width);
  const { columns } = design;
  const parts = (all: Float64Array) => Array.from({ length: width }, (_, k) => all.subarray(k * columns, (k + 1) * columns));
  const scores = new Float64Array(width * blockRows);
  const scoreBlock = (block: Block, weights: readonly Float64Array[]) =>
    weights.forEach((each, k) => scoreRows(scores, block, design, each, k * blockRows));
  const bends = new Float64Array(blockRows);
  const hessian = new Float64Array(columns ** 2);
  const alive = async () => context.signal.throwIfAborted();

  const { weights, value, iterations, converged } = await minimise(
    {
      size: width * columns,
      async evaluate(all, gradient) {
        const [each, gradients] = [parts(all), parts(gradient)];
        let sum = 0;
        const add = (block: Block) => {
          scoreBlock(block, each);
          sum += loss.derive(scores, rows.labels.subarray(block.from, block.from + block.rows));
          gradients.forEach((into, k) => addProduct(into, block, design, scores, k * blockRows));
        };
        await eachBlock(design, rows, add, alive);
        for (let at = 0; at < all.length; at++) {
          if (at % columns === 0) continue;
          sum += (l2 / 2) * all[at]! ** 2;
          gradient[at]! += l2 * all[at]!;
        }
        return sum;
      },
      async measureAt(all) {
        const each = parts(all);
        hessian.fill(0);
        const add = (block: Block) => {
          scoreBlock(block, each);
          loss.bend(scores, bends, block.rows);
          addGram(hessian, block, design, bends);
        };
        await eachBlock(design, rows, add, alive);
        await factor(hessian, columns, l2, alive);
      },
      precondition: (vector) => parts(vector).forEach((each) => solve(hessian, each)),
    },
    context,
    progressOf(context),
  );
  return { weights: parts(weights), facts: { iterations, converged, objective: value / rows.labels.length } };
}

/** Adds the penalty to all but the intercept, column 0, and factors. */
async function factor(gram: Float64Array, size: number, l2: number, breathe: Breathe): Promise<void> {
  for (let at = 1; at < size; at++) gram[at * size + at]! += l2;
  await cholesky(gram, size, breathe);
}

function solve(factored: Float64Array, vector: Float64Array): void {
  solveLower(factored, vector, vector.length);
  solveTransposed(factored, vector, vector.length);
}
