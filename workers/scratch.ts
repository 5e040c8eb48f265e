import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../stores/make-folder.ts';
import { tryLock } from '../stores/pid-lock.ts';

export interface Scratch {
  readonly folder: string;
  close(): Promise<void>;
}

const lockSuffix = '.lock';

/**
 * A folder below `root` for what this process writes and throws away. What a killed process left there goes now; the folders of those that live stay, since
 * several workers may share `root`.
 */
export async function openScratch(root: string): Promise<Scratch> {
  await makeFolder(root);
  const names = await readdir(root);
  await Promise.all(names.filter((name) => !name.endsWith(lockSuffix)).map((name) => removeAbandoned(join(root, name))));
  const folder = join(root, randomUUID());
  // Locked before it is there: whoever sees it sees whose it is.
  const lock = await tryLock(folder + lockSuffix);
  if (typeof lock === 'number') throw new Error(`${folder} is taken by process ${lock}`);
  await mkdir(folder);
  return {
    folder,
    async close() {
      await rm(folder, { recursive: true, force: true });
      await lock.release();
    },
  };
}

async function removeAbandoned(folder: string): Promise<void> {
  const lock = await tryLock(folder + lockSuffix);
  if (typeof lock === 'number') return;
  await rm(folder, { recursive: true, force: true });
  await lock.release();
}
