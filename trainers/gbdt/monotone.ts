import type { GrownTree } from './grow.ts';

/**
 * Moves leaf values that were found without regard for monotone features until the tree is monotone: at each split on such a feature, top down, no value
 * of the side that is to be lower passes the middle between its highest and the other's lowest.
 */
export function limitLeaves({ splits }: GrownTree, monotone: readonly number[], values: Float64Array): void {
  if (!monotone.some((direction) => direction !== 0)) return;
  const visit = (node: number): void => {
    if (node < 0) return;
    const { feature, left, right } = splits[node]!;
    const direction = monotone[feature] ?? 0;
    if (direction !== 0) {
      const [lower, upper] = direction > 0 ? [leavesBelow(left), leavesBelow(right)] : [leavesBelow(right), leavesBelow(left)];
      const highest = Math.max(...lower.map((leaf) => values[leaf]!));
      const lowest = Math.min(...upper.map((leaf) => values[leaf]!));
      if (highest > lowest) {
        const middle = (highest + lowest) / 2;
        for (const leaf of lower) values[leaf] = Math.min(values[leaf]!, middle);
        for (const leaf of upper) values[leaf] = Math.max(values[leaf]!, middle);
      }
    }
    visit(left);
    visit(right);
  };
  const leavesBelow = (node: number): number[] => (node < 0 ? [~node] : [...leavesBelow(splits[node]!.left), ...leavesBelow(splits[node]!.right)]);
  if (splits.length > 0) visit(0);
}
