import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Provenance } from '../../core/artifact.ts';
import { openRegistry } from '../../registry/registry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { openStore } from '../../stores/open-store.ts';
import { produce } from '../../stores/produce.ts';
import { keysOf } from '../../stores/read-object.ts';
import { hasSmallDisks, mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const provenance = (step: string): Provenance => ({ step, code: 'c0de', inputs: {}, parameters: {}, environment: {} });
const author = { by: 'test', run: { workflowId: 'train/films/all', runId: 'run-1' } };
const run = { ...author.run, workflowType: 'train' };

(hasSmallDisks ? describe : describe.skip)('on a disk that is full', () => {
  let disk: SmallDisk;
  let folder: string;
  beforeEach(async () => {
    disk = mountSmallDisk('4m');
    folder = await mkdtemp(join(tmpdir(), 'perennial-full-'));
  });
  afterEach(async () => {
    disk.unmount();
    await rm(folder, { recursive: true, force: true });
  });

  test('a step says StoreFull with the name of the object, leaves nothing half-made, and succeeds once there is space', async () => {
    const store = await openStore(join(disk.folder, 'store'));
    const artifacts = openArtifactStore(store, await openBlobs(store, join(folder, 'cache')));
    await writeFile(join(disk.folder, 'ballast'), randomBytes(2 << 20));
    const made = randomBytes(3 << 20);
    const make = async () => {
      await writeFile(join(folder, 'made'), made);
      return { path: join(folder, 'made'), mediaType: 'text/plain' };
    };
    const full = { code: 'StoreFull', retry: true, message: expect.stringContaining(blobKey(sha256(made))) };
    await expect(produce(artifacts, 'model', provenance('fit'), run, make)).rejects.toMatchObject(full);
    expect(await keysOf(store, '')).toEqual([]);
    expect(await readdir(join(disk.folder, 'store', '.unfinished'))).toEqual([]);
    await truncate(join(disk.folder, 'ballast'));
    expect(await produce(artifacts, 'model', provenance('fit'), run, make)).toMatchObject({ sha256: sha256(made) });
    expect((await verify(store)).findings).toEqual([]);
  });

  test('the registry keeps what it had, to the last byte of space', async () => {
    const store = await openStore(join(disk.folder, 'store'));
    const registry = openRegistry(store, await openBlobs(store, join(folder, 'cache')));
    const spec = { kind: 'spec', sha256: 'ab'.repeat(32), bytes: 1, mediaType: 'application/json' } as const;
    await registry.apply('films', spec, author);
    await writeFile(join(disk.folder, 'ballast'), randomBytes(8 << 20)).catch(() => {});
    const entries = async () =>
      (await openRegistry(store, await openBlobs(store, join(folder, 'cache'))).entries({ model: 'films', segment: 'all' })).length;
    const log = 'models/films/all/log/000000000002.json';
    const full = { code: 'StoreFull', message: expect.stringContaining(log) };
    await expect(registry.apply('films', { ...spec, sha256: 'cd'.repeat(32) }, author)).rejects.toMatchObject(full);
    expect(await entries()).toBe(1);
    await truncate(join(disk.folder, 'ballast'));
    await registry.apply('films', { ...spec, sha256: 'cd'.repeat(32) }, author);
    expect(await entries()).toBe(2);
  });
});
