import type { Random } from '../../core/random.ts';
import { MlError } from '../../core/errors.ts';
import { foundFields, leafFields } from './plan.ts';
import { writeRoute, writeSplits } from './routes.ts';
import { leafValue } from './split.ts';
import type { LeafSums, Split, Units } from './split.ts';
import type { Team } from './team.ts';
import { histogramAt, unpacked } from './workspace.ts';

/** A tree in codes of bins. Children that are leaves are the complements of their numbers. */
export interface GrownTree {
  readonly splits: readonly GrownSplit[];
  readonly leaves: number;
}

export interface GrownSplit extends Split {
  readonly feature: number;
  /** Rows that it splits. */
  readonly all: number;
  left: number;
  right: number;
}

/** A leaf of the tree that is growing. */
interface Leaf extends LeafSums {
  /** Its rows in the order of rows. */
  readonly from: number;
  readonly depth: number;
  /** Which of the histograms is its own. */
  readonly slot: number;
  /** The split that made it, and whether it is its left child. */
  readonly above?: { readonly split: number; readonly left: boolean };
  best?: GrownSplit;
}

const noSet = new Uint8Array(0);

/** Fewer rows than this are not worth waking threads for. */
export const worthSharing = 8_192;

/**
 * Grows a tree leaf by leaf: the one with the most to gain is split next (Shi 2007; Ke et al. 2017). Of two new leaves only the smaller's histogram is
 * summed; the other's is the parent's without it.
 *
 * The rows are the first `count` of the order, and are left there leaf by leaf; leaf values (times the rate) are in the memory of the team.
 */
export function grow(team: Team, count: number, units: Units): GrownTree {
  const { space } = team;
  const { options, plan, shape } = space;
  const splits: GrownSplit[] = [];
  const leaves: Leaf[] = [rootOf()];
  search(leaves[0]!, undefined);
  while (leaves.length < options.leaves) {
    let most = 0;
    leaves.forEach((leaf, at) => {
      if ((leaf.best?.gain ?? 0) > (leaves[most]!.best?.gain ?? 0)) most = at;
    });
    if (!leaves[most]!.best) break;
    split(most);
  }
  writeSplits(space, splits);
  leaves.forEach((leaf, at) => {
    const l2 = leaf.above ? splits[leaf.above.split]!.l2 : options.l2;
    space.leafValues[at] = options.rate * leafValue(leaf.gradient, leaf.hessian, l2, options, leaf);
    space.leafRows.set([leaf.from, leaf.rows], 2 * at);
  });
  return { splits, leaves: leaves.length };

  function rootOf(): Leaf {
    const task = sharing(count);
    task('histogram', 0, count, 0);
    const feature = space.sampled.indexOf(1);
    let [gradient, hessian] = [0, 0];
    // Any feature's histogram holds every row once; partial ones are still beside it.
    const parts = task === team.together ? shape.threads : 1;
    for (let each = 0; each < parts; each++) {
      const at = each === 0 ? histogramAt(space, 0) : plan.partial + (each - 1) * plan.entriesAt.at(-1)!;
      const entries = unpacked(space, 0, at, feature);
      for (let code = 0; code < shape.codes[feature]!; code++) {
        gradient += entries.gradients[code]!;
        hessian += entries.hessians[code]!;
      }
    }
    const sums = { gradient: gradient * units.gradient, hessian: hessian * units.hessian, rows: count };
    return { ...sums, from: 0, depth: 0, slot: 0, lowest: -Infinity, highest: Infinity };
  }

  function sharing(rows: number) {
    return rows >= worthSharing ? team.together : team.alone;
  }

  /** Finds the best splits of a leaf whose histogram (or the parts of it) has been summed, and of its sibling. */
  function search(leaf: Leaf, sibling: Leaf | undefined): void {
    const parts = sharing(leaf.rows) === team.together ? shape.threads : 1;
    tell(0, leaf);
    tell(1, sibling);
    team.together('scan', leaf.slot, sibling?.slot ?? -1, parts, units.gradient, units.hessian);
    read(0, leaf);
    if (sibling) read(1, sibling);
  }

  function tell(side: number, leaf: Leaf | undefined): void {
    const at = side * leafFields;
    space.leafSums[at + 5] = leaf && isOpen(leaf) ? 1 : 0;
    if (!leaf) return;
    space.leafSums[at] = leaf.gradient;
    space.leafSums[at + 1] = leaf.hessian;
    space.leafSums[at + 2] = leaf.rows;
    space.leafSums[at + 3] = leaf.lowest;
    space.leafSums[at + 4] = leaf.highest;
  }

  function isOpen({ depth, rows }: Leaf): boolean {
    return depth < options.maxDepth && rows >= 2 * options.minRowsPerLeaf;
  }

  /** The best of what was found for each feature; of equal ones the first. */
  function read(side: number, leaf: Leaf): void {
    let most = 0;
    let chosen = -1;
    const { found, sampled } = space;
    const features = sampled.length;
    for (let feature = 0; feature < features; feature++) {
      const gain = found[(side * features + feature) * foundFields]!;
      if (sampled[feature] && gain > most) [most, chosen] = [gain, feature];
    }
    if (chosen < 0) return;
    const at = side * features + chosen;
    const field = (which: number) => found[at * foundFields + which]!;
    leaf.best = {
      ...{ feature: chosen, all: leaf.rows, left: 0, right: 0, gain: most, code: field(1), missingLeft: field(2) === 1 },
      ...{ gradient: field(3), hessian: field(4), rows: field(5), l2: field(6), set: setOf(at, chosen) },
    };
  }

  function setOf(at: number, feature: number): Uint8Array {
    return space.kinds[feature] === 'category' ? space.foundSets.slice(at * 256, (at + 1) * 256) : noSet;
  }

  function split(at: number): void {
    const leaf = leaves[at]!;
    const found = leaf.best!;
    const node = splits.push(found) - 1;
    if (leaf.above) splits[leaf.above.split]![leaf.above.left ? 'left' : 'right'] = node;
    [found.left, found.right] = [~at, ~leaves.length];
    writeRoute(space, node, found);
    partition(leaf, found, node);
    const limits = limitsOf(leaf, found);
    const smallIsLeft = 2 * found.rows <= leaf.rows;
    const depth = leaf.depth + 1;
    const left: Leaf = {
      ...{ from: leaf.from, rows: found.rows, gradient: found.gradient, hessian: found.hessian, ...limits.left },
      ...{ depth, slot: smallIsLeft ? leaves.length : leaf.slot, above: { split: node, left: true } },
    };
    const right: Leaf = {
      ...{ from: leaf.from + found.rows, rows: leaf.rows - found.rows },
      ...{ gradient: leaf.gradient - found.gradient, hessian: leaf.hessian - found.hessian, ...limits.right },
      ...{ depth, slot: smallIsLeft ? leaf.slot : leaves.length, above: { split: node, left: false } },
    };
    leaves[at] = left;
    leaves.push(right);
    const [small, large] = smallIsLeft ? [left, right] : [right, left];
    // The last split needs no histograms: nothing is split after it.
    if (leaves.length === options.leaves || !(isOpen(small) || isOpen(large))) return;
    sharing(small.rows)('histogram', small.from, small.rows, small.slot);
    search(small, large);
  }

  /** Rows to their side, in their order: first within the threads' shares, then the shares are put together. */
  function partition(leaf: Leaf, found: GrownSplit, node: number): void {
    const task = sharing(leaf.rows);
    task('partition', leaf.from, leaf.rows, found.feature, node);
    const shares = task === team.together ? shape.threads : 1;
    const starts = Array.from({ length: shares + 1 }, (_, share) => leaf.from + Math.floor((leaf.rows * share) / shares));
    let to = leaf.from;
    for (let share = 0; share < shares; share++) {
      const went = space.extremes[share]!;
      if (to !== starts[share]) space.kernels.copy(plan.order + 4 * to, plan.order + 4 * starts[share]!, 4 * went);
      to += went;
    }
    if (to !== leaf.from + found.rows) {
      throw new MlError('Bug', `a split of ${leaf.rows} rows sent ${to - leaf.from} to the left; its histogram counted ${found.rows}`);
    }
    for (let share = 0; share < shares; share++) {
      const stay = starts[share + 1]! - starts[share]! - space.extremes[share]!;
      space.kernels.copy(plan.order + 4 * to, plan.spare + 4 * starts[share]!, 4 * stay);
      to += stay;
    }
  }

  /** Below a monotone split no value passes the middle of its two values (LightGBM's basic method). */
  function limitsOf(leaf: Leaf, { feature, gradient, hessian, l2 }: GrownSplit): { left: Limits; right: Limits } {
    const { lowest, highest } = leaf;
    const direction = options.monotone[feature] ?? 0;
    if (direction === 0) return { left: { lowest, highest }, right: { lowest, highest } };
    const middle =
      (leafValue(gradient, hessian, l2, options, leaf) + leafValue(leaf.gradient - gradient, leaf.hessian - hessian, l2, options, leaf)) / 2;
    const below = { lowest, highest: Math.min(highest, middle) };
    const above = { lowest: Math.max(lowest, middle), highest };
    return direction > 0 ? { left: below, right: above } : { left: above, right: below };
  }
}

type Limits = Pick<LeafSums, 'lowest' | 'highest'>;

/** Row numbers for a tree: those of the bag first, then the others. @returns how many are in the bag. */
export function fillOrder(order: Int32Array, rows: number, share: number, draw: Random): number {
  const bound = share >= 1 ? 2 ** 32 : Math.round(share * 2 ** 32);
  if (bound === 2 ** 32) {
    for (let row = 0; row < rows; row++) order[row] = row;
    return rows;
  }
  let [inside, outside] = [0, rows];
  for (let row = 0; row < rows; row++) {
    if (draw.uint32() < bound) order[inside++] = row;
    else order[--outside] = row;
  }
  return inside;
}
