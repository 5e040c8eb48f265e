import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openFolderStore } from '../../stores/folder-store.ts';
import { key } from '../../stores/key.ts';
import { maxSettleBytes } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { storeError } from '../../stores/store-error.ts';
import { describeObjectStore } from '../conformance/object-store.ts';
import { hasSmallDisks, mountSmallDisk } from '../support/small-disk.ts';

describeObjectStore('a folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'perennial-store-'));
  return {
    uri: pathToFileURL(root).href,
    open: () => openFolderStore(root),
    async damage(place, bytes) {
      await chmod(join(root, place), 0o644);
      await writeFile(join(root, place), bytes);
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
});

describe('a folder store', () => {
  let root: string;
  beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'perennial-store-'))));
  afterEach(() => rm(root, { recursive: true, force: true }));

  test('has a file URI that opens it again, blanks and all', async () => {
    const store = await openFolderStore(join(root, 'a store'));
    await store.settle(key('a'), Buffer.from('1'));
    expect(store.uri).toMatch(/^file:\/\/\/.*a%20store$/);
    expect(await keysOf(await openStore(store.uri), '')).toEqual(['a']);
    expect(await keysOf(await openStore(join(root, 'a store')), '')).toEqual(['a']);
    await expect(openStore('ftp://example.com/x')).rejects.toMatchObject({ code: 'ConfigInvalid' });
  });

  test('refuses symbolic links, to files and as folders, and does not list them', async () => {
    const store = await openFolderStore(join(root, 'store'));
    await mkdir(join(root, 'outside'));
    await writeFile(join(root, 'outside', 'secret'), 'secret');
    await symlink(join(root, 'outside'), join(root, 'store', 'linked'));
    await symlink(join(root, 'outside', 'secret'), join(root, 'store', 'file'));
    for (const place of [key('linked/secret'), key('file')]) {
      const refused = { code: 'ArtifactCorrupt', message: expect.stringContaining(`"${place}"`) };
      await expect(store.read(place)).rejects.toMatchObject(refused);
      await expect(store.head(place)).rejects.toMatchObject(refused);
      await expect(store.settle(place, Buffer.from('1'))).rejects.toMatchObject(refused);
    }
    await expect(store.settle(key('linked/new/folder/object'), Buffer.from('1'))).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
    expect(await readdir(join(root, 'outside'))).toEqual(['secret']);
    expect(await keysOf(store, '')).toEqual([]);
  });

  test('leaves no unfinished file behind, ignores strangers, and clears what a dead process left', async () => {
    const store = await openFolderStore(root);
    await Promise.all(Array.from({ length: 32 }, () => store.settle(key('a/b'), randomBytes(10))));
    expect(await readdir(join(root, '.unfinished'))).toEqual([]);
    await writeFile(join(root, '.DS_Store'), '');
    await writeFile(join(root, 'a', 'Thumbs.db'), '');
    expect(await keysOf(store, '')).toEqual(['a/b']);
    const [old, young] = [join(root, '.unfinished', 'old'), join(root, '.unfinished', 'young')];
    await writeFile(old, '1');
    await writeFile(young, '1');
    await utimes(old, new Date(0), new Date(0));
    await openFolderStore(root);
    expect(await readdir(join(root, '.unfinished'))).toEqual(['young']);
  });

  test('settles objects together as one by one: who was first stands, and where one cannot be written none is', async () => {
    const store = await openFolderStore(root);
    const object = (at: string, body: string | Uint8Array) => ({ key: key(at), body: Buffer.from(body) });
    await store.settle(key('b/1'), Buffer.from('theirs'));
    const standing = await store.settleTogether!([object('a/1', 'ours'), object('b/1', 'ours'), object('c/1', '')]);
    expect(standing.map(String)).toEqual(['ours', 'theirs', '']);
    await expect(store.settleTogether!([object('d/1', 'ours'), object('e/1', new Uint8Array(maxSettleBytes + 1))])).rejects.toMatchObject({
      code: 'ObjectTooLarge',
      facts: { key: 'e/1' },
    });
    expect(await keysOf(store, '')).toEqual(['a/1', 'b/1', 'c/1']);
    expect(await readdir(join(root, '.unfinished'))).toEqual([]);
  });

  test('keeps objects read-only, so that a verified path cannot be written by accident', async () => {
    const store = await openFolderStore(root);
    await store.settle(key('a/b'), Buffer.from('1'));
    const path = await store.pathOf!(key('a/b'));
    expect(path).toBe(join(root, 'a', 'b'));
    expect(execFileSync('ls', ['-l', path]).toString()).toMatch(/^-r--r--r--/);
  });

  test('goes on after somebody removed its folders', async () => {
    const store = await openFolderStore(root);
    await store.settle(key('a/b/c'), Buffer.from('1'));
    await rm(join(root, 'a'), { recursive: true });
    expect(await keysOf(store, 'a/')).toEqual([]);
    expect(Buffer.from(await store.settle(key('a/b/c'), Buffer.from('2'))).toString()).toBe('2');
  });

  test('refuses an object that is named as a folder, and says so', async () => {
    const store = await openFolderStore(root);
    await store.settle(key('a'), Buffer.from('1'));
    await expect(store.settle(key('a/b'), Buffer.from('1'))).rejects.toMatchObject({ code: 'KeyInvalid' });
    await store.settle(key('c/d'), Buffer.from('1'));
    await expect(store.settle(key('c'), Buffer.from('1'))).rejects.toMatchObject({ code: 'KeyInvalid' });
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('below a folder that takes none is StoreUnavailable, where mkdir of many would never return', async () => {
    await expect(openFolderStore('/proc/none/store')).rejects.toMatchObject({
      code: 'StoreUnavailable',
      message: expect.stringContaining('may write'),
    });
  });

  test('that cannot be a folder is StoreUnavailable, and names itself', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(openFolderStore(join(root, 'file', 'store'))).rejects.toMatchObject({
      code: 'StoreUnavailable',
      message: expect.stringContaining(join(root, 'file', 'store')),
    });
  });

  test('on a full disk is StoreFull and leaves no object; other failures are StoreUnavailable and name it', () => {
    const failed = (code: string) => storeError(Object.assign(new Error(code), { code }), 'file:///store', 'a/b');
    expect(failed('ENOSPC')).toMatchObject({ code: 'StoreFull', retry: true, message: expect.stringContaining('a/b') });
    expect(failed('EIO')).toMatchObject({ code: 'StoreUnavailable', retry: true, message: expect.stringContaining('a/b') });
  });

  (hasSmallDisks ? test : test.skip)('on a disk that really is full says StoreFull, keeps what it had, and goes on once there is space', async () => {
    const disk = mountSmallDisk('1m');
    try {
      const store = await openFolderStore(join(disk.folder, 'store'));
      const kept = randomBytes(100_000);
      await store.settle(key('kept'), kept);
      const file = { path: join(root, 'large'), bytes: 4 << 20, sha256: 'ab'.repeat(32) };
      await writeFile(file.path, randomBytes(file.bytes));
      await expect(store.upload(key('large'), file)).rejects.toMatchObject({ code: 'StoreFull' });
      await expect(store.settle(key('large'), randomBytes(4 << 20))).rejects.toMatchObject({ code: 'StoreFull' });
      expect(await keysOf(store, '')).toEqual(['kept']);
      await store.settle(key('small'), randomBytes(100_000));
      expect(await keysOf(store, '')).toEqual(['kept', 'small']);
    } finally {
      disk.unmount();
    }
  });
});
