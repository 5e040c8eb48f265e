import { float32, int32, int64, node } from '../onnx/writer.ts';
import type { Initializer, Node } from '../onnx/writer.ts';

/** Item-to-item weights with a bounded number of entries per row: what item `j` says about its nearest items. Row-major `[itemCount, width]`. */
export interface Neighbours {
  readonly itemCount: number;
  readonly width: number;
  readonly ids: Int32Array;
  /** Zero where a row has fewer entries than `width`. */
  readonly weights: Float32Array;
}

/**
 * Keeps the `width` weights of each row that matter most, in order of item (ties: the lower item). A weight matters by its size times the
 * `importance` of the item that it speaks for. `rowOf` fills the dense row of one item; its own entry is ignored.
 */
export async function keepNearest(
  importance: Float64Array,
  width: number,
  rowOf: (item: number, row: Float64Array) => void,
  breathe: (share: number) => Promise<void>,
): Promise<Neighbours> {
  const itemCount = importance.length;
  const kept = Math.max(1, Math.min(width, itemCount - 1));
  const ids = new Int32Array(itemCount * kept);
  const weights = new Float32Array(itemCount * kept);
  const row = new Float64Array(itemCount);
  const sizes = new Float64Array(itemCount);
  const scratch = new Float64Array(itemCount);
  for (let item = 0; item < itemCount; item++) {
    rowOf(item, row);
    row[item] = 0;
    for (let other = 0; other < itemCount; other++) {
      const weight = row[other]!;
      sizes[other] = (weight < 0 ? -weight : weight) * importance[other]!;
    }
    scratch.set(sizes);
    const threshold = nthLargest(scratch, kept);
    let room = kept;
    for (const size of sizes) if (size > threshold) room--;
    let at = item * kept;
    for (let other = 0; other < itemCount; other++) {
      const size = sizes[other]!;
      if (size === 0 || size < threshold || (size === threshold && room-- <= 0)) continue;
      ids[at] = other;
      weights[at++] = row[other]!;
    }
    if (item % 32 === 31) await breathe(item / itemCount);
  }
  return { itemCount, width: kept, ids, weights };
}

/** The `n`-th largest of `values`, which are left in another order (Hoare's selection, middle pivot: the same steps on every run). */
export function nthLargest(values: Float64Array, n: number): number {
  let low = 0;
  let high = values.length - 1;
  const target = Math.min(n, values.length) - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i > j) break;
      const swap = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swap;
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else break;
  }
  return values[target]!;
}

/** Constants and nodes of a graph that hang together. */
export interface Fragment {
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
}

/** Adds up the neighbour rows of the request's `items` into `output`, each row times its element of the vector `weighing`, if there is one. */
export function sumOfNeighbours({ itemCount, width, ids, weights }: Neighbours, output: string, weighing?: string): Fragment {
  const weighed: readonly Node[] = weighing
    ? [node('Unsqueeze', [weighing, 'columns'], 'row-weights'), node('Mul', ['near-weights', 'row-weights'], 'weighed')]
    : [node('Identity', ['near-weights'], 'weighed')];
  return {
    initializers: [
      int32('neighbour-ids', ids, [itemCount, width]),
      float32('neighbour-weights', weights, [itemCount, width]),
      float32('no-score', new Float32Array(itemCount)),
      int64('flat', [-1]),
      ...(weighing ? [int64('columns', [1])] : []),
    ],
    nodes: [
      node('Gather', ['neighbour-ids', 'items'], 'near-ids'),
      node('Gather', ['neighbour-weights', 'items'], 'near-weights'),
      ...weighed,
      node('Reshape', ['near-ids', 'flat'], 'targets'),
      node('Reshape', ['weighed', 'flat'], 'updates'),
      node('ScatterElements', ['no-score', 'targets', 'updates'], output, { axis: 0, reduction: 'add' }),
    ],
  };
}
