import { cholesky, solveLower, solveTransposed } from '../linear-algebra.ts';
import type { Breathe } from '../linear-algebra.ts';
import type { Block, Design } from './design.ts';
import { addGram, addSquares } from './sums.ts';

/** XᵀDX + λI without λ for the intercept, column 0; D says how strongly the loss of each row bends. */
export interface Hessian {
  /** Adds a block's rows. */
  add(block: Block, bends: Float64Array): void;
  /** Call it once, after all rows. */
  complete(breathe: Breathe): Promise<void>;
  /** Turns `vector` into the inverse times it. */
  divide(vector: Float64Array): void;
}

/** The whole matrix, for up to so many columns: 128 MB, half a minute to factor. */
const mostColumns = 4096;

/** Of a wide design the diagonal alone. It is no Hessian, but its scale. */
export const isWide = ({ columns }: Design): boolean => columns > mostColumns;

export function wholeHessian(design: Design, l2: number): Hessian {
  const size = design.columns;
  const matrix = new Float64Array(size ** 2);
  return {
    add: (block, bends) => addGram(matrix, block, design, bends),
    async complete(breathe) {
      for (let at = 1; at < size; at++) matrix[at * size + at]! += l2;
      await cholesky(matrix, size, breathe);
    },
    divide(vector) {
      solveLower(matrix, vector, size);
      solveTransposed(matrix, vector, size);
    },
  };
}

export function diagonalHessian(design: Design, l2: number): Hessian {
  const diagonal = new Float64Array(design.columns);
  return {
    add: (block, bends) => addSquares(diagonal, block, design, bends),
    async complete() {
      for (let at = 1; at < diagonal.length; at++) diagonal[at]! += l2;
    },
    divide(vector) {
      for (let at = 0; at < vector.length; at++) vector[at]! /= diagonal[at]!;
    },
  };
}
