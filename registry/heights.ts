import { key } from '../stores/key.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';

/** How far a log has grown. */
export interface Height {
  readonly model: string;
  readonly segment: string;
  /** Number of its last entry. */
  readonly n: number;
}

const entryKey = /^models\/([^/]+)\/([^/]+)\/log\/(\d{12})\.json$/;

/** Keys that one request lists. */
const keysPerRequest = 1000;

/**
 * The height of every log of a store, by listing its keys: cheap where there are many logs of few entries, as segments make them. Of a log that is `known` to be
 * long only what is new is listed, from the last known entry on: leaping costs a request, so it has to save one.
 */
export async function heightsOf(store: ObjectStore, known: readonly Height[] = []): Promise<readonly Height[]> {
  const knownHeights = new Map(known.map((height) => [nameOf(height), height.n]));
  const heights = new Map<string, Height>();
  let after: Key | undefined;
  do {
    const from = after;
    after = undefined;
    for await (const { key: found } of store.list('models/', from)) {
      const [, model, segment, n] = entryKey.exec(found) ?? [];
      if (model === undefined || segment === undefined) continue;
      const height = { model, segment, n: Number(n) };
      // Keys come in order: the last of a log is its highest.
      heights.set(nameOf(height), height);
      const last = knownHeights.get(nameOf(height)) ?? 0;
      if (last - height.n <= keysPerRequest) continue;
      after = key(`models/${model}/${segment}/log/${String(last - 1).padStart(12, '0')}.json`);
      break;
    }
  } while (after !== undefined);
  return [...heights.values()];
}

const nameOf = ({ model, segment }: Height): string => `${model}/${segment}`;
