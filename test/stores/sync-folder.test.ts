import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { syncFolder } from '../../stores/sync-folder.ts';

test('flushing a folder fails for all who share the flush, and works again once it can', async () => {
  const root = await mkdtemp(join(tmpdir(), 'perennial-sync-'));
  try {
    const folder = join(root, 'folder');
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => syncFolder(folder)));
    expect(outcomes.map((it) => it.status)).toEqual(Array.from({ length: 5 }, () => 'rejected'));
    await mkdir(folder);
    await Promise.all(Array.from({ length: 20 }, () => syncFolder(folder)));
    await syncFolder(folder);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
