import type { Item } from '../../core/manifest.ts';
import { float32, int64, model, node } from '../../onnx/writer.ts';

/** Twelve films, the most popular first. */
export const films: readonly Item[] = [
  ['1', 'Toy Story (1995)', 'Animation|Comedy'],
  ['2', 'Matrix, The (1999)', 'Action|Sci-Fi'],
  ['3', 'Amélie (2001)', 'Comedy|Romance'],
  ['4', 'Halloween (1978)', 'Horror'],
  ['5', 'Scream (1996)', 'Horror|Mystery'],
  ['6', 'Elf (2003)', 'Children|Comedy'],
  ['7', 'Home Alone (1990)', 'Children|Comedy'],
  ['8', 'Heat (1995)', 'Action|Crime'],
  ['9', 'Blade Runner (1982)', 'Action|Sci-Fi'],
  ['10', 'Alien (1979)', 'Horror|Sci-Fi'],
  ['11', 'Casablanca (1942)', 'Drama|Romance'],
  ['12', 'Star Wars (1977)', 'Action|Sci-Fi'],
].map(([id, title, genres]) => ({ id: id!, title: title!, categories: genres!.split('|') }));

/** Scores = `base` + the rows of `weights` (items × items) for what was liked. */
export function weighted(base: ArrayLike<number>, weights: Float32Array): Uint8Array {
  const count = base.length;
  return model({
    name: 'weighted',
    inputs: [
      { name: 'items', type: 'int64', dims: [-1] },
      { name: 'values', type: 'float32', dims: [-1] },
      { name: 'ages', type: 'float32', dims: [-1] },
    ],
    outputs: [{ name: 'scores', type: 'float32', dims: [count] }],
    initializers: [float32('base', base), float32('weights', weights, [count, count]), int64('axes', [0])],
    nodes: [
      node('Gather', ['weights', 'items'], 'rows'),
      node('ReduceSum', ['rows', 'axes'], 'sum', { keepdims: 0 }),
      node('Add', ['sum', 'base'], 'scores'),
    ],
  });
}

/** Films that share a genre with the liked ones, then the popular ones; `strength` makes versions whose bytes differ. */
export function byGenre(items: readonly Item[] = films, strength = 1): Uint8Array {
  const weights = new Float32Array(items.length ** 2);
  for (const [a, one] of items.entries()) {
    for (const [b, other] of items.entries()) {
      weights[a * items.length + b] = strength * one.categories.filter((genre) => other.categories.includes(genre)).length;
    }
  }
  return weighted(
    items.map((_, at) => 1 / (at + 2)),
    weights,
  );
}

/** The same for everybody: the best are `ids`, in this order, and nothing else is recommended. */
export function rule(ids: readonly string[], items: readonly Item[] = films): Uint8Array {
  const scores = items.map(({ id }) => (ids.includes(id) ? 100 - ids.indexOf(id) : -1e30));
  return weighted(scores, new Float32Array(items.length ** 2));
}

const day = 86_400_000;
const autumn = Date.parse('2018-09-01');

/** Two users: one who likes horror, one who likes comedies. */
export const histories = [
  {
    user: '7',
    items: [
      ['4', 5, autumn],
      ['5', 4, autumn + day],
      ['1', 2, autumn + 2 * day],
    ],
  },
  {
    user: '42',
    items: [
      ['3', 5, autumn],
      ['404', 5, autumn],
    ],
  },
] as const;
