import type { Item } from '../../core/manifest.ts';
import type { Interactions } from '../../core/tasks/recommendation.ts';
import { encodeInteractions } from '../encode.ts';
import type { EncodeInput } from '../encode.ts';
import { readItems, writeItems } from '../items.ts';
import type { RowFiles, RowLoader } from './loader.ts';

/** The encoding of a recommender is its catalogue: items by position. */
export const recommendation: RowLoader<'recommendation'> = {
  describedBy: (target) => target.describe?.source,

  async fit(files, described, out, context) {
    const { known } = await encodeInteractions({ ...encoding(files), ...(described && { items: described }) }, context);
    await writeItems(known.catalogue, out);
  },

  async load(files, preprocessor, heldOut, context) {
    const catalogue = await readItems(preprocessor);
    const encoded = await encodeInteractions({ ...encoding(files), ...(heldOut !== null && { heldOut }) }, context);
    return {
      known: onlyKnownItems(against(encoded.known, catalogue)),
      ...(encoded.heldOut && { heldOut: against(encoded.heldOut, catalogue) }),
    };
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

/** The same interactions by the positions of another catalogue, such as that of a champion that sits a challenger's exam; -1 where it lacks an item. */
function against(interactions: Interactions, catalogue: readonly Item[]): Interactions {
  const position = new Map(catalogue.map(({ id }, index) => [id, index]));
  const moved = Int32Array.from(interactions.catalogue, ({ id }) => position.get(id) ?? -1);
  return { ...interactions, catalogue, items: interactions.items.map((item) => (item < 0 ? -1 : moved[item]!)) };
}

/** An item that the model does not know can neither speak for a user's taste nor be recommended. */
function onlyKnownItems(interactions: Interactions): Interactions {
  const kept = [...interactions.items.keys()].filter((index) => interactions.items[index]! >= 0);
  if (kept.length === interactions.items.length) return interactions;
  const { users, items, values, timesMs } = interactions;
  return {
    ...interactions,
    users: Int32Array.from(kept, (index) => users[index]!),
    items: Int32Array.from(kept, (index) => items[index]!),
    values: Float32Array.from(kept, (index) => values[index]!),
    timesMs: Float64Array.from(kept, (index) => timesMs[index]!),
  };
}
