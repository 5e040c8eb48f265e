import { MlError } from '../core/errors.ts';

/** Called between slices of a long loop: lets messages out and the abort signal in. `share` of the work that is done, 0 to 1. */
export type Breathe = (share: number) => Promise<void>;

/** Rows of a symmetric update that are taken together: 64 columns of 64 rows of float64 stay in the first-level cache. */
const BLOCK = 64;

/**
 * Factors a symmetric positive definite matrix (row-major, `size` × `size`) in place: the lower triangle becomes L with A = L·Lᵀ; the upper
 * triangle is left as it was. Blocked and left-looking; the order of every sum is fixed, so the result is the same bytes on every run.
 *
 * @throws {MlError} `TrainingFailed` if the matrix is not positive definite.
 */
export async function cholesky(a: Float64Array, size: number, breathe: Breathe): Promise<void> {
  for (let from = 0; from < size; from += BLOCK) {
    const to = Math.min(from + BLOCK, size);
    for (let below = from; below < size; below += BLOCK) {
      subtractProduct(a, size, below, Math.min(below + BLOCK, size), from, to);
    }
    factorDiagonal(a, size, from, to);
    for (let row = to; row < size; row++) solveRow(a, size, row, from, to);
    await breathe(to / size);
  }
}

/** A[i, j] −= Σₖ L[i, k]·L[j, k] over the finished columns k < `from`, for rows i and columns j of one block. */
function subtractProduct(a: Float64Array, size: number, rowFrom: number, rowTo: number, from: number, to: number): void {
  for (let k0 = 0; k0 < from; k0 += BLOCK) {
    const k1 = Math.min(k0 + BLOCK, from);
    for (let i = rowFrom; i < rowTo; i++) {
      const ri = i * size;
      let j = from;
      for (; j + 3 < to; j += 4) {
        const r0 = j * size;
        const r1 = r0 + size;
        const r2 = r1 + size;
        const r3 = r2 + size;
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        let s3 = 0;
        for (let k = k0; k < k1; k++) {
          const v = a[ri + k]!;
          s0 += v * a[r0 + k]!;
          s1 += v * a[r1 + k]!;
          s2 += v * a[r2 + k]!;
          s3 += v * a[r3 + k]!;
        }
        a[ri + j]! -= s0;
        a[ri + j + 1]! -= s1;
        a[ri + j + 2]! -= s2;
        a[ri + j + 3]! -= s3;
      }
      for (; j < to; j++) {
        const rj = j * size;
        let sum = 0;
        for (let k = k0; k < k1; k++) sum += a[ri + k]! * a[rj + k]!;
        a[ri + j]! -= sum;
      }
    }
  }
}

function factorDiagonal(a: Float64Array, size: number, from: number, to: number): void {
  for (let j = from; j < to; j++) {
    let pivot = a[j * size + j]!;
    for (let k = from; k < j; k++) pivot -= a[j * size + k]! ** 2;
    if (!(pivot > 0)) throw new MlError('TrainingFailed', `the matrix is not positive definite at row ${j}: raise the ridge penalty`, { row: j });
    a[j * size + j] = Math.sqrt(pivot);
    for (let i = j + 1; i < to; i++) {
      let sum = a[i * size + j]!;
      for (let k = from; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!;
      a[i * size + j] = sum / a[j * size + j]!;
    }
  }
}

function solveRow(a: Float64Array, size: number, row: number, from: number, to: number): void {
  const ri = row * size;
  for (let j = from; j < to; j++) {
    const rj = j * size;
    let sum = a[ri + j]!;
    for (let k = from; k < j; k++) sum -= a[ri + k]! * a[rj + k]!;
    a[ri + j] = sum / a[rj + j]!;
  }
}

/**
 * The inverse of A = L·Lᵀ from its factor, as a full symmetric matrix in a new array: first M = L⁻ᵀ, then M·Mᵀ. Four rows go together, so that
 * each number that is read serves four sums.
 */
export async function inverseFromCholesky(factor: Float64Array, size: number, breathe: Breathe): Promise<Float64Array> {
  const m = new Float64Array(size * size);
  for (let j = 0; j < size; j += 4) {
    invertRows(factor, m, size, j);
    if (j % 16 === 12) await breathe((0.5 * j) / size);
  }
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    multiplyRow(m, inverse, size, i);
    if (i % 32 === 31) await breathe(0.5 + (0.5 * i) / size);
  }
  return inverse;
}

/** Rows `j` … `j + 3` of M = L⁻ᵀ (columns of L⁻¹, zero before the diagonal) by forward substitution. */
function invertRows(factor: Float64Array, m: Float64Array, size: number, j: number): void {
  const rows = Math.min(4, size - j);
  const r0 = j * size;
  // Rows that do not exist repeat the first; what they compute is not written.
  const r1 = rows > 1 ? r0 + size : r0;
  const r2 = rows > 2 ? r1 + size : r0;
  const r3 = rows > 3 ? r2 + size : r0;
  for (let i = j; i < size; i++) {
    const ri = i * size;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = j; k < i; k++) {
      const value = factor[ri + k]!;
      s0 += value * m[r0 + k]!;
      s1 += value * m[r1 + k]!;
      s2 += value * m[r2 + k]!;
      s3 += value * m[r3 + k]!;
    }
    const pivot = factor[ri + i]!;
    m[r0 + i] = ((i === j ? 1 : 0) - s0) / pivot;
    if (rows > 1 && i > j) m[r1 + i] = ((i === j + 1 ? 1 : 0) - s1) / pivot;
    if (rows > 2 && i > j + 1) m[r2 + i] = ((i === j + 2 ? 1 : 0) - s2) / pivot;
    if (rows > 3 && i > j + 2) m[r3 + i] = ((i === j + 3 ? 1 : 0) - s3) / pivot;
  }
}

/** Row `i` of M·Mᵀ up to the diagonal, and its mirror image. M is upper triangular, so sums start at `i`. */
function multiplyRow(m: Float64Array, product: Float64Array, size: number, i: number): void {
  const ri = i * size;
  for (let j = 0; j <= i; j += 4) {
    const r0 = j * size;
    const r1 = j + 1 <= i ? r0 + size : r0;
    const r2 = j + 2 <= i ? r1 + size : r0;
    const r3 = j + 3 <= i ? r2 + size : r0;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = i; k < size; k++) {
      const value = m[ri + k]!;
      s0 += value * m[r0 + k]!;
      s1 += value * m[r1 + k]!;
      s2 += value * m[r2 + k]!;
      s3 += value * m[r3 + k]!;
    }
    product[ri + j] = product[r0 + i] = s0;
    if (r1 !== r0) product[ri + j + 1] = product[r1 + i] = s1;
    if (r2 !== r0) product[ri + j + 2] = product[r2 + i] = s2;
    if (r3 !== r0) product[ri + j + 3] = product[r3 + i] = s3;
  }
}

/** `cholesky` of a small matrix, at once. */
export const factorInPlace = (a: Float64Array, size: number): void => factorDiagonal(a, size, 0, size);

/**
 * Solves A·x = b for a small symmetric positive definite A (row-major, `size` × `size`): `a` becomes its factor and `b` the solution.
 *
 * @throws {MlError} `TrainingFailed` if A is not positive definite.
 */
export function solveInPlace(a: Float64Array, b: Float64Array, size: number): void {
  factorInPlace(a, size);
  solveLower(a, b, size);
  solveTransposed(a, b, size);
}

/** Solves L·x = b: `b` becomes x. */
export function solveLower(factor: Float64Array, b: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * size + k]! * b[k]!;
    b[i] = sum / factor[i * size + i]!;
  }
}

/** Solves Lᵀ·x = b: `b` becomes x. */
export function solveTransposed(factor: Float64Array, b: Float64Array, size: number): void {
  for (let i = size - 1; i >= 0; i--) {
    const value = b[i]! / factor[i * size + i]!;
    b[i] = value;
    for (let k = 0; k < i; k++) b[k]! -= value * factor[i * size + k]!;
  }
}
