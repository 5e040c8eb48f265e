import type { GbdtOptions } from './options.ts';
import { gainOf, unsplit } from './split.ts';
import type { Entries, LeafSums, Split, Units } from './split.ts';

/** Codes of the levels of the leaf at hand, and what they are sorted by. */
const levels = new Int32Array(256);
const slopes = new Float64Array(256);

/**
 * The best set of levels. With many levels only sets that are an end of the order by gradient over hessian are tried: for convex losses one of them is
 * the best of all sets (Fisher 1958; Breiman et al. 1984, theorem 4.5). Missing, unseen and rare levels go right.
 */
export function splitCategory(entries: Entries, codes: number, leaf: LeafSums, units: Units, options: GbdtOptions, best: Split): void {
  const { oneHotUpTo, smoothing, levelsPerSplit } = options.categories;
  const oneHot = codes - 1 <= oneHotUpTo;
  const count = collectLevels(entries, codes, units, oneHot ? 1 : Math.max(1, smoothing), smoothing);
  const pass: Pass = { entries, leaf, units, options, l2: options.l2 + (oneHot ? 0 : options.categories.l2), target: unsplit(leaf, options) };
  best.gain = 0;
  if (oneHot) {
    for (let at = 0; at < count; at++) extend(pass, at, 1, 1, 0, best);
    return;
  }
  sortLevels(count);
  const longest = Math.min(levelsPerSplit, Math.ceil(count / 2));
  extend(pass, 0, longest, 1, options.categories.minRowsPerGroup, best);
  extend(pass, count - 1, longest, -1, options.categories.minRowsPerGroup, best);
}

/** Lists the levels with enough rows. @returns how many they are. */
function collectLevels({ gradients, hessians, rows }: Entries, codes: number, units: Units, minRows: number, smoothing: number): number {
  let count = 0;
  for (let code = 0; code < codes - 1; code++) {
    if (rows[code]! < minRows) continue;
    levels[count] = code;
    slopes[count++] = (gradients[code]! * units.gradient) / (hessians[code]! * units.hessian + smoothing);
  }
  return count;
}

/** Insertion sort: most leaves have few levels with enough rows. Levels with equal slopes stay in the order of their codes. */
function sortLevels(count: number): void {
  for (let at = 1; at < count; at++) {
    const [level, slope] = [levels[at]!, slopes[at]!];
    let to = at;
    for (; to > 0 && slopes[to - 1]! > slope; to--) {
      levels[to] = levels[to - 1]!;
      slopes[to] = slopes[to - 1]!;
    }
    levels[to] = level;
    slopes[to] = slope;
  }
}

interface Pass {
  readonly entries: Entries;
  readonly leaf: LeafSums;
  readonly units: Units;
  readonly options: GbdtOptions;
  readonly l2: number;
  /** What the gain of both sides has to exceed. */
  readonly target: number;
}

/** Tries the sets that grow from the level at `start`, by up to `longest` levels in the direction of `step`. */
function extend(
  { entries, leaf, units, options, l2, target }: Pass,
  start: number,
  longest: number,
  step: number,
  minRowsPerGroup: number,
  best: Split,
): void {
  const { minRowsPerLeaf, minHessian } = options;
  let [gradient, hessian, rows, group] = [0, 0, 0, 0];
  for (let size = 1; size <= longest; size++) {
    const code = levels[start + (size - 1) * step]!;
    gradient += entries.gradients[code]! * units.gradient;
    hessian += entries.hessians[code]! * units.hessian;
    rows += entries.rows[code]!;
    group += entries.rows[code]!;
    if (rows < minRowsPerLeaf || hessian < minHessian) continue;
    const [rest, restHessian, restRows] = [leaf.gradient - gradient, leaf.hessian - hessian, leaf.rows - rows];
    if (restRows < Math.max(minRowsPerLeaf, minRowsPerGroup) || restHessian < minHessian) return;
    if (group < minRowsPerGroup) continue;
    group = 0;
    const gain = gainOf(gradient, hessian, l2, options, leaf) + gainOf(rest, restHessian, l2, options, leaf) - target;
    if (!(gain > best.gain)) continue;
    Object.assign(best, { gain, code: -1, missingLeft: false, gradient, hessian, rows, l2 });
    best.set.fill(0);
    for (let each = 0; each < size; each++) best.set[levels[start + each * step]!] = 1;
  }
}
