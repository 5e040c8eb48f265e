import type { Binning } from './bins.ts';
import type { Tree } from './forest.ts';
import type { Workspace } from './workspace.ts';

/** A split in codes: those up to `code` go left, or those in `set`. */
export interface CodeSplit {
  readonly feature: number;
  /** -1 for a split by `set`. */
  readonly code: number;
  readonly missingLeft: boolean;
  /** By code: 1 for the left. */
  readonly set: Uint8Array;
}

/** Writes which codes go left, as kernels read it: one look for any kind of split. */
export function writeRoute({ routes, shape }: Workspace, split: number, { feature, code, missingLeft, set }: CodeSplit): void {
  const at = split * 256;
  for (let each = 0; each < 256; each++) routes[at + each] = code < 0 ? (set[each] ?? 0) : each <= code ? 1 : 0;
  if (code >= 0) routes[at + shape.codes[feature]! - 1] = missingLeft ? 1 : 0;
}

/** Writes where the splits lead, once the tree is complete. */
export function writeSplits(
  { splits }: Workspace,
  tree: readonly { readonly feature: number; readonly left: number; readonly right: number }[],
): void {
  // A tree of one leaf: both sides of a split that decides nothing.
  if (tree.length === 0) splits.set([0, ~0, ~0]);
  tree.forEach(({ feature, left, right }, split) => splits.set([feature, right, left], 3 * split));
}

/** Writes a finished tree, for its values to be added to scores once more. */
export function writeTree(space: Workspace, tree: Tree, binnings: readonly Binning[]): void {
  tree.feature.forEach((feature, split) => {
    const binning = binnings[feature]!;
    const missingLeft = tree.missingLeft[split]!;
    if (binning.kind === 'category') {
      const left = new Set(tree.levels[split]);
      return writeRoute(space, split, {
        feature,
        code: -1,
        missingLeft,
        set: Uint8Array.from(binning.levelOf, (level) => (left.has(level) ? 1 : 0)),
      });
    }
    const bound = binning.bounds.indexOf(tree.threshold[split]!);
    writeRoute(space, split, { feature, code: bound < 0 ? binning.bounds.length : bound, missingLeft, set: new Uint8Array(0) });
  });
  writeSplits(
    space,
    tree.feature.map((feature, split) => ({ feature, left: tree.left[split]!, right: tree.right[split]! })),
  );
  space.leafValues.set(tree.values);
}
