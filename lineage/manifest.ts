import { key } from '../stores/key.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObject } from '../stores/read-object.ts';
import { seal, unseal } from '../stores/sealed.ts';
import type { Segment } from './segments.ts';

/** What the index holds: `index/lineage/<12 digits>.json`, of which the highest counts. Its Parquet files are blobs. */
export interface Manifest {
  /** Another form of tables is another format: an index of an older one is built anew. */
  readonly format: 1;
  readonly n: number;
  readonly at: string;
  /** When all records were listed, hints or not. `null` until the first time is done. */
  readonly listedAt: string | null;
  /** Largest first. */
  readonly segments: readonly Segment[];
  /** `model/segment` → number of the last entry of its log that is indexed. */
  readonly heights: Readonly<Record<string, number>>;
}

const prefix = 'index/lineage/';
const keyOf = (n: number): Key => key(`${prefix}${String(n).padStart(12, '0')}.json`);

export interface FoundManifest {
  /** Absent if there is none that is whole and of this format. */
  readonly manifest?: Manifest;
  /** The number that the next one takes. */
  readonly next: number;
  /** Those before it, which nobody reads any more. */
  readonly older: readonly Key[];
}

export async function readManifest(store: ObjectStore): Promise<FoundManifest> {
  const keys = await keysOf(store, prefix);
  const last = keys.at(-1);
  if (last === undefined) return { next: 1, older: [] };
  const manifest = parse(await readObject(store, last));
  return { next: 1 + Number(/(\d+)\.json$/.exec(last)?.[1]), older: keys.slice(0, -1), ...(manifest && { manifest }) };
}

/** Makes a manifest the one that counts, unless somebody else took its number. */
export async function settleManifest(store: ObjectStore, manifest: Manifest): Promise<boolean> {
  const body = Buffer.from(seal(manifest));
  return body.equals(await store.settle(keyOf(manifest.n), body));
}

function parse(body: Uint8Array | undefined): Manifest | undefined {
  const manifest = unseal<Manifest>(body);
  return manifest?.format === 1 ? manifest : undefined;
}
