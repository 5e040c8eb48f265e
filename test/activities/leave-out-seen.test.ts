import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leaveOutSeen } from '../../activities/leave-out-seen.ts';
import type { Ports } from '../../activities/ports.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { blobKey, type Blobs, openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { contextOf, parquetOf } from '../data/scratch.ts';

let root: string;
let store: ObjectStore;
let blobs: Blobs;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-seen-'));
  store = await openFolderStore(join(root, 'store'));
  blobs = await openBlobs(store, join(root, 'cache'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a rival is excused from an exam where what it has seen was erased', async () => {
  const put = async (from: number) => {
    const blob = await blobs.put(await parquetOf(`SELECT i AS u, if(i < ${from}, 'train', 'test') AS part FROM range(100) r(i)`));
    return { kind: 'split', mediaType: 'application/vnd.apache.parquet', ...blob } as const;
  };
  const [split, seen] = [await put(50), await put(40)];
  const rivals = [{ name: 'champion', seen: { rows: { ...seen, kind: 'rows' }, splits: [seen] } }] as const;
  const spec = { rows: { sql: '', key: ['u'] } } as unknown as ModelSpec;
  const sit = () =>
    leaveOutSeen({ blobs, store } as Partial<Ports> as Ports)({ spec, split, exam: [split], rivals }, {
      ...contextOf(),
      heartbeat: () => {},
    } as never);
  expect(await sit()).toEqual({ split, leftOut: 0 });
  await store.remove(blobKey(seen.sha256));
  expect(await sit()).toEqual({ split, leftOut: 0, excused: ['champion'] });
});
