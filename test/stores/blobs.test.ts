import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import { halfCopy } from '../../stores/half-copies.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'perennial-blobs-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));
const cache = () => join(folder, 'cache');
const bytes = Buffer.from('twenty bytes of text');

describe('blobs of a store of local files', () => {
  test('are opened where they lie, without a copy', async () => {
    const store = await openFolderStore(join(folder, 'store'));
    const blobs = await openBlobs(store, cache());
    const blob = await blobs.putBytes(bytes);
    expect(blob).toEqual({ sha256: sha256(bytes), bytes: 20 });
    expect(await blobs.open(blob.sha256)).toBe(join(folder, 'store', blobKey(blob.sha256)));
    expect(await readdir(cache())).toEqual([]);
  });

  test('are verified again once they look different, even with the old time on them', async () => {
    const blobs = await openBlobs(await openFolderStore(join(folder, 'store')), cache());
    const { sha256: digest } = await blobs.putBytes(bytes);
    const path = await blobs.open(digest);
    const { atime, mtime } = await stat(path);
    await chmod(path, 0o644);
    await writeFile(path, 'twenty bytes of lies');
    await utimes(path, atime, mtime);
    await expect(blobs.open(digest)).rejects.toMatchObject({ code: 'ArtifactCorrupt', message: expect.stringContaining(blobKey(digest)) });
  });

  test('that were damaged are repaired by putting them again', async () => {
    const blobs = await openBlobs(await openFolderStore(join(folder, 'store')), cache());
    const { sha256: digest } = await blobs.putBytes(bytes);
    const path = await blobs.open(digest);
    await chmod(path, 0o644);
    await writeFile(path, 'torn');
    await blobs.putBytes(bytes);
    expect(Buffer.from(await blobs.readBytes(digest))).toEqual(bytes);
  });
});

describe('blobs of a store without local files', () => {
  test('are fetched once into the cache, verified, and read-only', async () => {
    let reads = 0;
    const store = createStoreInMemory((what) => void (reads += what === 'read' ? 1 : 0));
    const blobs = await openBlobs(store, cache());
    const { sha256: digest } = await blobs.putBytes(bytes);
    const path = await blobs.open(digest);
    expect(await readFile(path)).toEqual(bytes);
    expect((await stat(path)).mode & 0o222).toBe(0);
    await blobs.open(digest);
    await (await openBlobs(store, cache())).open(digest);
    expect(reads).toBe(1);
  });

  test('with a damaged copy are fetched again', async () => {
    const store = createStoreInMemory();
    const { sha256: digest } = await (await openBlobs(store, cache())).putBytes(bytes);
    await writeFile(join(cache(), digest), 'damaged');
    expect(Buffer.from(await (await openBlobs(store, cache())).readBytes(digest))).toEqual(bytes);
  });

  test('that were altered in the store never reach the cache', async () => {
    const store = createStoreInMemory();
    const blobs = await openBlobs(store, cache());
    const { sha256: digest } = await blobs.putBytes(bytes);
    store.objects.set(blobKey(digest), Buffer.from('twenty bytes of lies'));
    await expect(blobs.open(digest)).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
    await expect(blobs.open('ab'.repeat(32))).rejects.toMatchObject({ code: 'ArtifactMissing' });
    expect(await readdir(cache())).toEqual([]);
  });
});

test('what is no SHA-256 is no blob', async () => {
  const blobs = await openBlobs(createStoreInMemory(), cache());
  for (const text of ['', 'ab', '../../etc/passwd', 'AB'.repeat(32)]) await expect(blobs.open(text)).rejects.toMatchObject({ code: 'KeyInvalid' });
});

test('a copy that a killed process left half is gone once the cache is opened again; one that is being made stays', async () => {
  const store = createStoreInMemory();
  await openBlobs(store, cache());
  const digest = sha256(bytes);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, '-');
  const named = (pid: number, machine = host): string => `${digest}.${machine}.${pid}.${randomUUID()}.${randomUUID()}`;
  const left = [named(dead), named(process.pid)];
  const underWay = [named(process.ppid), named(dead, 'another-machine'), halfCopy(digest)];
  for (const name of [...left, ...underWay]) await writeFile(join(cache(), name), 'half');
  await openBlobs(store, cache());
  expect((await readdir(cache())).toSorted()).toEqual(underWay.toSorted());
});
