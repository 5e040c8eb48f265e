import type { ObjectStore } from '../stores/object-store.ts';

/** How far a log has grown. */
export interface Height {
  readonly model: string;
  readonly segment: string;
  /** Number of its last entry. */
  readonly n: number;
}

const entryKey = /^models\/([^/]+)\/([^/]+)\/log\/(\d{12})\.json$/;

/** The height of every log of a store, by one listing of its keys: cheap where there are many logs of few entries, as segments make them. */
export async function heightsOf(store: ObjectStore): Promise<readonly Height[]> {
  const heights = new Map<string, Height>();
  for await (const { key } of store.list('models/')) {
    const [, model, segment, n] = entryKey.exec(key) ?? [];
    // Keys come in order: the last of a log is its highest.
    if (model !== undefined && segment !== undefined) heights.set(`${model}/${segment}`, { model, segment, n: Number(n) });
  }
  return [...heights.values()];
}
