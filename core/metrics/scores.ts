import { MlError } from '../errors.ts';
import type { Values } from './columns.ts';

/** Rows from the highest score to the lowest. Rows with equal scores have no order that a model meant: they are looked at together. */
export interface Descending {
  readonly order: Int32Array;
  /** 1 at each place after which the score is another: at the end of a tie. */
  readonly ends: Uint8Array;
}

/** @throws {MlError} `ModelInvalid` if a score is NaN: it is neither above nor below another. */
export function descending(score: Values): Descending {
  const own = Float64Array.from(score);
  const missing = own.findIndex(Number.isNaN);
  if (missing >= 0)
    throw new MlError('ModelInvalid', `the model's score of row ${missing} is NaN, which has no place in a ranking`, { row: missing });
  const order = Int32Array.from(own.keys()).sort((a, b) => own[b]! - own[a]! || a - b);
  const ends = Uint8Array.from(order, (row, at) => Number(at + 1 === order.length || own[row] !== own[order[at + 1]!]));
  return { order, ends };
}
