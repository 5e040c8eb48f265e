import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCheckpoint } from '../../activities/checkpoint.ts';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { keysOf } from '../../stores/read-object.ts';

let root: string;
let store: ObjectStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-checkpoints-'));
  store = await openFolderStore(join(root, 'store'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** As another worker opens it: it knows only what is in the store. */
const checkpointOf = async (trainer: string) =>
  openCheckpoint(
    { store, blobs: await openBlobs(store, join(root, 'cache')), codeDigest: () => 'code' },
    { step: 'trainModel', code: ['activities/compute/fit'], inputs: {}, parameters: { trainer } },
  );
const state = (epoch: number) => Buffer.from(`the state after epoch ${epoch}`);
const pathOf = (bytes: Uint8Array) => join(root, 'store', blobKey(sha256(bytes)));

describe('checkpoints of a fit', () => {
  beforeEach(async () => {
    const { save } = await checkpointOf('bpr');
    for (const epoch of [1, 2, 3]) await save(state(epoch));
  });

  test('let any worker go on from the last one, and are nobody else’s', async () => {
    expect(await (await checkpointOf('bpr')).load()).toEqual(state(3));
    expect(await (await checkpointOf('ease')).load()).toBeUndefined();
  });

  test('fall back to an older one where the newest are damaged or lost, and count on from the newest', async () => {
    await chmod(pathOf(state(3)), 0o644);
    await writeFile(pathOf(state(3)), 'torn');
    await rm(pathOf(state(2)), { force: true });
    const { load, save } = await checkpointOf('bpr');
    expect(await load()).toEqual(state(1));
    await save(state(4));
    expect(await (await checkpointOf('bpr')).load()).toEqual(state(4));
  });

  test('give nothing where all are lost: the fit begins again', async () => {
    for (const epoch of [1, 2, 3]) await rm(pathOf(state(epoch)), { force: true });
    expect(await (await checkpointOf('bpr')).load()).toBeUndefined();
  });

  test('are gone when the fit is done', async () => {
    const other = await checkpointOf('ease');
    await other.save(state(9));
    await (await checkpointOf('bpr')).clear();
    expect(await keysOf(store, 'checkpoints/')).toHaveLength(1);
    expect(await (await checkpointOf('bpr')).load()).toBeUndefined();
    expect(await other.load()).toEqual(state(9));
  });
});
