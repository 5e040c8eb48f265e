import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/**
 * Makes a folder and those above it, where they are missing, each with a durable name.
 *
 * `mkdir` with `recursive` never returns below a folder that is there and answers ENOENT, as `/proc` does: Node asks it again for ever.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (path !== dirname(path)) await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Somebody may have been faster.
    if (!(await isFolder(path))) throw error;
  }
  await syncFolder(dirname(path));
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  return found?.isDirectory() ?? false;
}
