import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** This process, among those that had its pid before it: in a container each has the same. */
const self = randomUUID();
const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, '-');
const form = /^[0-9a-f]{64}\.([A-Za-z0-9-]+)\.(\d+)\.([0-9a-f-]{36})\.[0-9a-f-]{36}$/;
/** A copy that another machine began belongs to a process that died, once nothing was added to it for so long. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

/** Where a copy is written before it is whole: its name says who writes it. */
export const halfCopy = (path: string): string => `${path}.${host}.${process.pid}.${self}.${randomUUID()}`;

/** Removes what processes that were killed in the middle of a copy left in a folder. */
export async function removeHalfCopies(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, where, pid, who] = form.exec(name) ?? [];
    if (where === undefined || who === self) continue;
    const path = join(folder, name);
    const isAbandoned = where === host ? Number(pid) === process.pid || !isAlive(Number(pid)) : await isOld(path);
    if (isAbandoned) await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined); // its writer has just finished
  return found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs;
}
