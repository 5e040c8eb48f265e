import type { Item } from '../../core/manifest.ts';
import type { Interactions, RecommendationTarget } from '../../core/tasks/recommendation.ts';
import { encodeInteractions } from '../encode.ts';
import type { EncodeInput } from '../encode.ts';
import { writeHistory } from '../history.ts';
import { readItems, writeItems } from '../items.ts';
import type { RowFiles, RowLoader } from './loader.ts';

/** The encoding of a recommender is its catalogue: items by position. */
export const recommendation: RowLoader<'recommendation'> = {
  packed: { path: 'items.json', role: 'items' },

  describedBy: (target) => target.describe?.source,

  async fit(files, described, out, context) {
    const { known } = await encodeInteractions({ ...encoding(files), ...(described && { items: described }) }, context);
    await writeItems(known.catalogue, out);
  },

  async load(files, preprocessor, heldOut, context) {
    const catalogue = await readItems(preprocessor);
    const encoded = await encodeInteractions({ ...encoding(files), ...(heldOut !== null && { heldOut }) }, context);
    return {
      known: against(encoded.known, catalogue),
      ...(encoded.heldOut && { heldOut: against(encoded.heldOut, catalogue) }),
    };
  },

  async writeHistory({ rows, time, target }, out, context) {
    const { users } = await writeHistory({ rows, target: target as RecommendationTarget, out, ...(time !== null && { time }) }, context);
    return { users };
  },
};

function encoding({ rows, split, parts, key, time, target }: RowFiles): EncodeInput {
  return {
    rows,
    key,
    target: target as EncodeInput['target'],
    ...(time !== null && { time }),
    ...(parts !== 'all' && { split, fitted: parts }),
  };
}

/**
 * The same interactions by the positions of another catalogue, such as that of a champion that sits a challenger's exam. All rows stay, and an item
 * that the catalogue lacks has a number of its own below -1: so whoever sits an exam, it asks the same users for the same items.
 */
function against(interactions: Interactions, catalogue: readonly Item[]): Interactions {
  const position = new Map(catalogue.map(({ id }, index) => [id, index]));
  const moved = Int32Array.from(interactions.catalogue, ({ id }, index) => position.get(id) ?? -2 - index);
  return { ...interactions, catalogue, items: interactions.items.map((item) => (item < 0 ? -1 : moved[item]!)) };
}
