import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Folders that this very process holds: in a container a restarted process has its predecessor's pid. */
const held = new Set<string>();

export interface FolderLock {
  /** Lets another process own it from now on: it counts as held for as long as that one lives. */
  handTo(pid: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lock that the folder `path` is, or returns the pid of the process that holds it. Creating a folder is atomic; the lock of a process
 * that is gone is taken over.
 */
export async function tryLock(path: string): Promise<FolderLock | number> {
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    if (await created(path)) {
      await writeFile(join(path, 'pid'), String(process.pid));
      held.add(path);
      return {
        handTo: (pid) => writeFile(join(path, 'pid'), String(pid)),
        async release() {
          held.delete(path);
          await rm(path, { recursive: true, force: true });
        },
      };
    }
    const owner = await ownerOf(path);
    if (owner !== undefined && lives(owner, path)) return owner;
    // Without an owner it may be one being taken just now; look twice before breaking it.
    await sleep(250);
    if ((await ownerOf(path)) === owner) await rm(path, { recursive: true, force: true });
  }
}

/** Waits for the lock. `onWait` hears once whom we wait for. */
export async function lock(path: string, onWait: (pid: number) => void, signal?: AbortSignal): Promise<FolderLock> {
  for (let told = false; ; told = true) {
    const taken = await tryLock(path);
    if (typeof taken !== 'number') return taken;
    if (!told) onWait(taken);
    await sleep(200, undefined, signal === undefined ? {} : { signal });
  }
}

async function created(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return Number(await readFile(join(path, 'pid'), 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function lives(pid: number, path: string): boolean {
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
