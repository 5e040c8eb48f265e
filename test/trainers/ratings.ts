import { interactionsOf } from '../../bench/protocols.ts';
import type { Item } from '../../core/manifest.ts';
import type { Interactions } from '../../core/tasks/recommendation.ts';
import { openSession } from '../../onnx/session.ts';

/** One row per like of a 0/1 matrix of users × items, all on one day. */
export function fromLikes(matrix: readonly (readonly number[])[]): Interactions {
  const ratings = matrix.flatMap((row, user) => row.flatMap((like, item) => (like ? [{ user, film: item, value: 5, timeMs: 0 }] : [])));
  const films = new Map(matrix[0]!.map((_, item): [number, Item] => [item, { id: String(item), title: `Film ${item}`, categories: [] }]));
  return interactionsOf(ratings, films, 0);
}

/** Scores of a request by item id, whatever the order of the catalogue. */
export async function scoresById(onnx: Uint8Array, data: Interactions, liked: readonly { id: string; age?: number }[]): Promise<Map<string, number>> {
  const session = await openSession(onnx);
  try {
    const positions = new Map(data.catalogue.map(({ id }, position) => [id, position]));
    const dims = [liked.length];
    const { scores } = await session.run({
      items: { type: 'int64', dims, data: BigInt64Array.from(liked, ({ id }) => BigInt(positions.get(id)!)) },
      values: { type: 'float32', dims, data: new Float32Array(liked.length).fill(5) },
      ages: { type: 'float32', dims, data: Float32Array.from(liked, ({ age = 0 }) => age) },
    });
    return new Map(data.catalogue.map(({ id }, position) => [id, (scores!.data as Float32Array)[position]!]));
  } finally {
    await session.release();
  }
}
