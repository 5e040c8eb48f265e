import type { Json } from '../../core/artifact.ts';
import type { Examples } from '../../core/examples.ts';
import type { TrainingContext } from '../../core/trainer.ts';
import { progressOf } from '../progress.ts';
import { taskOf, widthOf } from '../table-graph.ts';
import { blockRows, eachBlock } from './design.ts';
import type { Block, Design } from './design.ts';
import { diagonalHessian, isWide, wholeHessian } from './hessian.ts';
import { logistic, softmax, squared } from './losses.ts';
import type { Loss } from './losses.ts';
import { minimise } from './minimise.ts';
import { addProduct, scoreRows } from './sums.ts';

export interface Solution {
  /** For each number of the answer the weights of the design's columns. */
  readonly weights: readonly Float64Array[];
  readonly facts: Readonly<Record<string, Json>>;
}

/** The weights that fit the rows best at penalty `l2`. `wide`: without a matrix of their pairs. */
export async function solutionOf(rows: Examples, design: Design, l2: number, context: TrainingContext, wide = isWide(design)): Promise<Solution> {
  const task = taskOf(rows);
  if (task !== 'regression') return descend(rows, { design, l2, wide, loss: task === 'binary' ? logistic : softmax(widthOf(rows)) }, context);
  const mean = rows.labels.reduce((sum, label) => sum + label, 0) / rows.labels.length;
  const centred = { ...rows, labels: rows.labels.map((label) => label - mean) };
  const solution = await (wide ? descend(centred, { design, l2, wide, loss: squared }, context) : ridge(centred, design, l2, context));
  solution.weights[0]![0]! += mean;
  return solution;
}

/** (XᵀX + λI)·w = Xᵀy, solved exactly. */
async function ridge(rows: Examples, design: Design, l2: number, context: TrainingContext): Promise<Solution> {
  const hessian = wholeHessian(design, l2);
  const once = new Float64Array(blockRows).fill(1);
  const weights = new Float64Array(design.columns);
  const add = (block: Block) => {
    hessian.add(block, once);
    addProduct(weights, block, design, rows.labels, block.from);
  };
  await eachBlock(design, rows, add, progressOf(context, 0, 0.5));
  await hessian.complete(progressOf(context, 0.5, 1));
  hessian.divide(weights);
  return { weights: [weights], facts: {} };
}

interface Descent {
  readonly design: Design;
  readonly l2: number;
  readonly loss: Loss;
  readonly wide: boolean;
}

/** Least Σ loss + λ/2·|w|². Steps are measured by the Hessian, of several classes by one that is the same for all. */
async function descend(rows: Examples, { design, l2, loss, wide }: Descent, context: TrainingContext): Promise<Solution> {
  const { columns } = design;
  const width = widthOf(rows);
  const parts = (all: Float64Array) => Array.from({ length: width }, (_, k) => all.subarray(k * columns, (k + 1) * columns));
  const scores = new Float64Array(width * blockRows);
  const scoreBlock = (block: Block, weights: readonly Float64Array[]) =>
    weights.forEach((each, k) => scoreRows(scores, block, design, each, k * blockRows));
  const bends = new Float64Array(blockRows);
  const emptyHessian = () => (wide ? diagonalHessian : wholeHessian)(design, l2);
  let hessian = emptyHessian();
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
        hessian = emptyHessian();
        const add = (block: Block) => {
          scoreBlock(block, each);
          loss.bend(scores, bends, block.rows);
          hessian.add(block, bends);
        };
        await eachBlock(design, rows, add, alive);
        await hessian.complete(alive);
      },
      precondition: (vector) => parts(vector).forEach((each) => hessian.divide(each)),
    },
    context,
    progressOf(context),
  );
  return { weights: parts(weights), facts: { iterations, converged, objective: value / rows.labels.length } };
}
