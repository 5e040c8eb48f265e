import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MlError } from '../core/errors.ts';
import { sha256 } from './digest.ts';
import { key } from './key.ts';
import type { Key, ObjectStore } from './object-store.ts';
import { keysOf, readObject } from './read-object.ts';

/** Writers that race for one key. */
const writers = 16;
const abandonedAfterMs = 24 * 60 * 60 * 1000;

export interface ProbedStore {
  /** How far the store's clock is ahead of ours, in milliseconds; it is told in whole seconds by some stores. */
  readonly clockAheadMs: number;
  /** How long one small durable write took. */
  readonly writeMs: number;
}

/**
 * Puts what a store promises to the test, with a few objects below `probe/` that are removed again. Some servers accept a condition and ignore it, or
 * keep bytes that are not those of their checksum: with them two promotions would both win, and a cut-off upload would be a model.
 *
 * @throws {MlError} `StoreUnsafe` says which promise was broken; `StoreUnavailable`.
 */
export async function probeStore(store: ObjectStore): Promise<ProbedStore> {
  const prefix = `probe/${randomUUID()}`;
  const small = key(`${prefix}/small`);
  const content = Buffer.from(`what another one claims to be ${prefix}`);
  const claimed = sha256(Buffer.from(prefix));
  const large = key(`${prefix}/${claimed}`);
  const unsafe = (what: string): MlError =>
    new MlError('StoreUnsafe', `${store.uri} ${what}: take another store, or a version of this one that keeps conditions and checksums`, {
      store: store.uri,
    });
  try {
    const bodies = Array.from({ length: writers }, (_, at) => Buffer.from(`writer ${at} of ${prefix}`));
    const standing = await Promise.all(bodies.map((body) => store.settle(small, body)));
    const winner = Buffer.from(standing[0]!);
    if (!standing.every((each) => winner.equals(each))) throw unsafe(`ignores conditions: of ${writers} writers of one key more than one won`);

    const began = Date.now();
    if (!winner.equals(await store.settle(small, Buffer.from('a latecomer')))) throw unsafe('ignores conditions: an object was written twice');
    const writeMs = await timed(() => store.settle(key(`${prefix}/timed`), Buffer.from(prefix)));
    const read = await readObject(store, small);
    if (read === undefined || !winner.equals(read)) throw unsafe('does not give back what was written');
    if (!(await keysOf(store, `${prefix}/`)).includes(small)) throw unsafe('does not list what was just written');
    const head = await store.head(key(`${prefix}/timed`));
    if (head === undefined) throw unsafe('does not know what was just written');

    if (await keeps(store, large, content, claimed)) throw unsafe('keeps bytes that are not those of their checksum');
    return { clockAheadMs: head.modified.getTime() - began, writeMs };
  } finally {
    for (const each of await keysOf(store, 'probe/')) if (each.startsWith(`${prefix}/`) || (await isAbandoned(store, each))) await store.remove(each);
  }
}

/** Whether an object belongs to a probe that was killed. */
async function isAbandoned(store: ObjectStore, place: Key): Promise<boolean> {
  const found = await store.head(place);
  return found !== undefined && Date.now() - found.modified.getTime() > abandonedAfterMs;
}

/** Whether content is to be found under the checksum of other content after it was uploaded as that. */
async function keeps(store: ObjectStore, place: Key, content: Uint8Array, claimed: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-probe-'));
  try {
    const path = join(folder, 'content');
    await writeFile(path, content);
    await store.upload(place, { path, sha256: claimed, bytes: content.length }).catch((error: unknown) => {
      // Any other error is the refusal that it should be.
      if (error instanceof MlError && error.code === 'StoreUnavailable') throw error;
    });
    return (await store.head(place)) !== undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
