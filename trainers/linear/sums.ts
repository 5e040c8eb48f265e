import { blockRows } from './design.ts';
import type { Block, Design } from './design.ts';

/** Adds a block's share of XᵀDX (row-major, `columns` × `columns`), D being diagonal: `times` for each row. Only the lower triangle is made. */
export function addGram(gram: Float64Array, { rows, dense, ones }: Block, design: Design, times: Float64Array): void {
  const size = design.columns;
  const scaled = new Float64Array(rows);
  for (let i = 0; i < design.dense; i++) {
    for (let row = 0; row < rows; row++) scaled[row] = times[row]! * dense[i * blockRows + row]!;
    for (let j = 0; j <= i; j++) gram[i * size + j]! += dot(dense, j * blockRows, scaled, 0, rows);
    for (let c = 0; c < design.coded.length; c++) {
      const at = c * blockRows;
      for (let row = 0; row < rows; row++) gram[ones[at + row]! * size + i]! += scaled[row]!;
    }
  }
  for (let c = 0; c < design.coded.length; c++) {
    const at = c * blockRows;
    for (let other = 0; other <= c; other++) {
      const column = other * blockRows;
      for (let row = 0; row < rows; row++) gram[ones[at + row]! * size + ones[column + row]!]! += times[row]!;
    }
  }
}

/** Adds a block's share of the diagonal of XᵀDX. */
export function addSquares(squares: Float64Array, { rows, dense, ones }: Block, design: Design, times: Float64Array): void {
  for (let j = 0; j < design.dense; j++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += times[row]! * dense[j * blockRows + row]! ** 2;
    squares[j]! += sum;
  }
  for (let c = 0; c < design.coded.length; c++) {
    for (let row = 0; row < rows; row++) squares[ones[c * blockRows + row]!]! += times[row]!;
  }
}

/** Adds a block's share of Xᵀr, for a number `r` of each row of the block, from `start` on. */
export function addProduct(sums: Float64Array, { rows, dense, ones }: Block, design: Design, r: Float64Array, start = 0): void {
  for (let j = 0; j < design.dense; j++) sums[j]! += dot(dense, j * blockRows, r, start, rows);
  for (let c = 0; c < design.coded.length; c++) {
    const at = c * blockRows;
    for (let row = 0; row < rows; row++) sums[ones[at + row]!]! += r[start + row]!;
  }
}

/** Xw of a block's rows, into `scores` from `start` on. */
export function scoreRows(scores: Float64Array, { rows, dense, ones }: Block, design: Design, weights: Float64Array, start = 0): void {
  scores.fill(0, start, start + rows);
  let j = 0;
  // Two columns at a time: half as many visits to the scores.
  for (; j + 1 < design.dense; j += 2) {
    const first = weights[j]!;
    const second = weights[j + 1]!;
    const column = j * blockRows;
    for (let row = 0; row < rows; row++) scores[start + row]! += first * dense[column + row]! + second * dense[column + blockRows + row]!;
  }
  for (; j < design.dense; j++) {
    const weight = weights[j]!;
    const column = j * blockRows;
    for (let row = 0; row < rows; row++) scores[start + row]! += weight * dense[column + row]!;
  }
  for (let c = 0; c < design.coded.length; c++) {
    const at = c * blockRows;
    for (let row = 0; row < rows; row++) scores[start + row]! += weights[ones[at + row]!]!;
  }
}

/** Four sums at a time, so that an addition need not wait for the one before. */
function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += a[atA + k]! * b[atB + k]!;
    s1 += a[atA + k + 1]! * b[atB + k + 1]!;
    s2 += a[atA + k + 2]! * b[atB + k + 2]!;
    s3 += a[atA + k + 3]! * b[atB + k + 3]!;
  }
  for (; k < length; k++) s0 += a[atA + k]! * b[atB + k]!;
  return s0 + s1 + (s2 + s3);
}
