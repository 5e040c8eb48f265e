import type { GbdtOptions } from './options.ts';

/** A leaf that may be split: sums over its rows, and the limits that monotone splits above it set to its value. */
export interface LeafSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly rows: number;
  readonly lowest: number;
  readonly highest: number;
}

/** A split of a leaf. Rows with a code up to `code` go left, or those with a code in `set`. */
export interface Split {
  gain: number;
  /** -1 for a split by `set`. */
  code: number;
  missingLeft: boolean;
  /** Sums of the rows on the left. */
  gradient: number;
  hessian: number;
  rows: number;
  /** Ridge penalty of the two values. */
  l2: number;
  /** By code: 1 for the left. */
  readonly set: Uint8Array;
}

/** What a split has to exceed: the gain of the leaf as it is. A little more than rounding is added, which else would be split for. */
export function unsplit(leaf: LeafSums, options: GbdtOptions): number {
  return gainOf(leaf.gradient, leaf.hessian, options.l2, options, leaf) * (1 + 1e-12) + options.minGain;
}

/** Sums of one feature's rows in a leaf, by code. Gradients and hessians are whole numbers of units. */
export interface Entries {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly rows: Int32Array;
}

export interface Units {
  readonly gradient: number;
  readonly hessian: number;
}

// A global is looked up anew at each call in a sandbox, and these are called in the innermost of loops.
const { abs, max, min, sign } = Math;

export const noSplit = (): Split => ({ gain: 0, code: 0, missingLeft: false, gradient: 0, hessian: 0, rows: 0, l2: 0, set: new Uint8Array(256) });

/** The value of a leaf that lowers the loss most: a Newton step with ridge and lasso penalties (Chen & Guestrin 2016, equation 5). */
export function leafValue(gradient: number, hessian: number, l2: number, { l1 }: GbdtOptions, { lowest, highest }: LeafSums): number {
  // Without curvature there is no step to take.
  const value = hessian + l2 > 0 ? -sign(gradient) * (max(0, abs(gradient) - l1) / (hessian + l2)) : 0;
  return min(max(value, lowest), highest);
}

/** Twice what the loss falls by when a leaf takes a value. */
export function gainOf(gradient: number, hessian: number, l2: number, options: GbdtOptions, leaf: LeafSums): number {
  const value = leafValue(gradient, hessian, l2, options, leaf);
  return -(2 * gradient * value + (hessian + l2) * value * value) - 2 * options.l1 * abs(value);
}

/**
 * The best threshold of a number: a pass over the bins with missing values on the right, and one with them on the left. In a leaf without missing values
 * they will go where most rows go.
 */
export function splitNumber(
  entries: Entries,
  codes: number,
  leaf: LeafSums,
  monotone: number,
  units: Units,
  options: GbdtOptions,
  best: Split,
): void {
  const plain = options.l1 === 0 && leaf.lowest === -Infinity && leaf.highest === Infinity && monotone === 0;
  const pass: Pass = {
    entries,
    missing: codes - 1,
    leaf,
    monotone,
    units,
    options,
    parent: unsplit(leaf, options),
  };
  const anyMissing = entries.rows[codes - 1]! > 0;
  best.gain = 0;
  for (const missingLeft of anyMissing ? [false, true] : [false]) {
    // With missing values on the right, all numbers may go left.
    const last = anyMissing && !missingLeft ? codes - 1 : codes - 2;
    if (!(plain ? passPlainly : passWithLimits)(pass, missingLeft, last, best)) continue;
    best.missingLeft = anyMissing ? missingLeft : 2 * best.rows >= leaf.rows;
    best.l2 = options.l2;
  }
}

interface Pass {
  readonly entries: Entries;
  readonly missing: number;
  readonly leaf: LeafSums;
  readonly monotone: number;
  readonly units: Units;
  readonly options: GbdtOptions;
  /** What the gain of both sides has to exceed. */
  readonly parent: number;
}

/** The innermost loop of a search: nothing but sums and products in local variables. @returns whether a better split was found. */
function passPlainly({ entries, missing, leaf, units, options, parent }: Pass, missingLeft: boolean, last: number, best: Split): boolean {
  const { gradients, hessians, rows } = entries;
  const { minRowsPerLeaf, minHessian, l2 } = options;
  const mostRows = leaf.rows - minRowsPerLeaf;
  let [gradient, hessian, count] = [missingLeft ? gradients[missing]! : 0, missingLeft ? hessians[missing]! : 0, missingLeft ? rows[missing]! : 0];
  let target = parent + best.gain;
  let found = false;
  for (let code = 0; code < last; code++) {
    gradient += gradients[code]!;
    hessian += hessians[code]!;
    count += rows[code]!;
    if (count < minRowsPerLeaf) continue;
    if (count > mostRows) break;
    const left = gradient * units.gradient;
    const right = leaf.gradient - left;
    const over = hessian * units.hessian + l2;
    const restOver = leaf.hessian - hessian * units.hessian + l2;
    // Both squares over hessians as one fraction: that a split is no better is seen without a division.
    const above = left * left * restOver + right * right * over;
    if (!(above > target * (over * restOver)) || over - l2 < minHessian || restOver - l2 < minHessian) continue;
    target = above / (over * restOver);
    best.gain = target - parent;
    best.code = code;
    best.gradient = left;
    best.hessian = hessian * units.hessian;
    best.rows = count;
    found = true;
  }
  return found;
}

function passWithLimits(
  { entries, missing, leaf, monotone, units, options, parent }: Pass,
  missingLeft: boolean,
  last: number,
  best: Split,
): boolean {
  const { gradients, hessians, rows } = entries;
  const { minRowsPerLeaf, minHessian, l2 } = options;
  let [gradientSum, hessianSum, count] = [
    missingLeft ? gradients[missing]! : 0,
    missingLeft ? hessians[missing]! : 0,
    missingLeft ? rows[missing]! : 0,
  ];
  let found = false;
  for (let code = 0; code < last; code++) {
    gradientSum += gradients[code]!;
    hessianSum += hessians[code]!;
    count += rows[code]!;
    if (count < minRowsPerLeaf) continue;
    if (leaf.rows - count < minRowsPerLeaf) break;
    const [gradient, hessian] = [gradientSum * units.gradient, hessianSum * units.hessian];
    const [rest, restHessian] = [leaf.gradient - gradient, leaf.hessian - hessian];
    if (hessian < minHessian || restHessian < minHessian) continue;
    const rises = leafValue(rest, restHessian, l2, options, leaf) - leafValue(gradient, hessian, l2, options, leaf);
    if (rises * monotone < 0) continue;
    const gain = gainOf(gradient, hessian, l2, options, leaf) + gainOf(rest, restHessian, l2, options, leaf) - parent;
    if (!(gain > best.gain)) continue;
    Object.assign(best, { gain, code, gradient, hessian, rows: count });
    found = true;
  }
  return found;
}
