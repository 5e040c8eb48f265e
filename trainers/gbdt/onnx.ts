import { model, node } from '../../onnx/writer.ts';
import type { Node } from '../../onnx/writer.ts';
import type { Forest, Tree } from './forest.ts';

/** A forest as a model: `features` (float32, rows × features) to `predictions` (float32, rows × outputs), as `predict` gives them. */
export function forestToOnnx(forest: Forest): Uint8Array {
  return model({
    inputs: [{ name: 'features', type: 'float32', dims: [-1, forest.features] }],
    outputs: [{ name: 'predictions', type: 'float32', dims: [-1, forest.outputs] }],
    nodes: forestNodes(forest, 'features', 'predictions'),
  });
}

/**
 * The nodes that turn a matrix of features into predictions. ONNX Runtime compares float32 numbers, as `predict` does: a row comes to the same leaves.
 */
export function forestNodes(forest: Forest, features: string, predictions: string): Node[] {
  const link = links[forest.loss.name];
  const ensemble = node('ai.onnx.ml:TreeEnsembleRegressor', [features], link ? `${predictions}-scores` : predictions, {
    ...attributesOf(forest),
    base_values: Float32Array.from(forest.base),
    n_targets: forest.outputs,
  });
  return link ? [ensemble, node(link, [`${predictions}-scores`], predictions)] : [ensemble];
}

const links: Readonly<Record<Forest['loss']['name'], string | undefined>> = {
  squared: undefined,
  absolute: undefined,
  quantile: undefined,
  logistic: 'Sigmoid',
  softmax: 'Softmax',
  poisson: 'Exp',
};

/** The lists of a TreeEnsembleRegressor while they are filled, an entry by node. */
interface Lists {
  readonly trees: number[];
  readonly ids: number[];
  readonly features: number[];
  readonly modes: string[];
  readonly values: number[];
  readonly whenTrue: number[];
  readonly whenFalse: number[];
  readonly missingTrue: number[];
}

function attributesOf({ trees, outputs }: Forest) {
  const lists: Lists = { trees: [], ids: [], features: [], modes: [], values: [], whenTrue: [], whenFalse: [], missingTrue: [] };
  const leaves = { trees: [] as number[], ids: [] as number[], targets: [] as number[], weights: [] as number[] };
  trees.forEach((tree, at) => {
    const idOf = writeSplits(tree, at, lists);
    tree.values.forEach((value, leaf) => {
      add(lists, { tree: at, id: idOf(~leaf), mode: 'LEAF' });
      leaves.trees.push(at);
      leaves.ids.push(idOf(~leaf));
      leaves.targets.push(at % outputs);
      leaves.weights.push(value);
    });
  });
  return {
    nodes_treeids: lists.trees,
    nodes_nodeids: lists.ids,
    nodes_featureids: lists.features,
    nodes_modes: lists.modes,
    nodes_values: Float32Array.from(lists.values),
    nodes_truenodeids: lists.whenTrue,
    nodes_falsenodeids: lists.whenFalse,
    nodes_missing_value_tracks_true: lists.missingTrue,
    target_treeids: leaves.trees,
    target_nodeids: leaves.ids,
    target_ids: leaves.targets,
    target_weights: Float32Array.from(leaves.weights),
  };
}

/**
 * Writes the splits of a tree. A split by levels is a chain of equalities whose true branches all lead to its left child; its length is the number of
 * levels, and ONNX Runtime makes one test of membership of it. @returns the node of a child.
 */
function writeSplits(tree: Tree, at: number, lists: Lists): (child: number) => number {
  const starts: number[] = [];
  let size = 0;
  for (const levels of tree.levels) {
    starts.push(size);
    size += levels?.length ?? 1;
  }
  const idOf = (child: number) => (child < 0 ? size + ~child : starts[child]!);
  tree.feature.forEach((feature, split) => {
    const [id, whenTrue, whenFalse] = [starts[split]!, idOf(tree.left[split]!), idOf(tree.right[split]!)];
    const levels = tree.levels[split];
    if (!levels) {
      const missingTrue = tree.missingLeft[split] ? 1 : 0;
      return add(lists, { tree: at, id, mode: 'BRANCH_LEQ', feature, value: tree.threshold[split]!, whenTrue, whenFalse, missingTrue });
    }
    levels.forEach((value, link) => {
      const next = link + 1 < levels.length ? id + link + 1 : whenFalse;
      add(lists, { tree: at, id: id + link, mode: 'BRANCH_EQ', feature, value, whenTrue, whenFalse: next });
    });
  });
  return idOf;
}

interface OnnxNode {
  readonly tree: number;
  readonly id: number;
  readonly mode: 'LEAF' | 'BRANCH_LEQ' | 'BRANCH_EQ';
  readonly feature?: number;
  readonly value?: number;
  readonly whenTrue?: number;
  readonly whenFalse?: number;
  readonly missingTrue?: number;
}

function add(lists: Lists, { tree, id, mode, feature = 0, value = 0, whenTrue = 0, whenFalse = 0, missingTrue = 0 }: OnnxNode): void {
  lists.trees.push(tree);
  lists.ids.push(id);
  lists.features.push(feature);
  lists.modes.push(mode);
  lists.values.push(value);
  lists.whenTrue.push(whenTrue);
  lists.whenFalse.push(whenFalse);
  lists.missingTrue.push(missingTrue);
}
