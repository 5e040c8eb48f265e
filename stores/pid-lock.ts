import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './make-folder.ts';

export interface PidLock {
  /** Lets another process own it from now on: it counts as held for as long as that one lives. */
  handTo(pid: number): Promise<void>;
  release(): Promise<void>;
}

/** Locks that this very process holds: in a container a restarted process has its predecessor's pid. */
const held = new Set<string>();
/** Longer than it takes to write a few digits, on any machine. */
const writingMs = 5000;

/**
 * Takes the lock that the file `path` is, or returns the pid of the process that holds it. Creating a file exclusively is atomic; the lock of a
 * process that is gone is taken over.
 */
export async function tryLock(path: string): Promise<PidLock | number> {
  await makeFolder(dirname(path));
  for (;;) {
    if (await taken(path)) {
      held.add(path);
      return {
        handTo: (pid) => writeFile(path, String(pid)),
        async release() {
          held.delete(path);
          await rm(path, { force: true });
        },
      };
    }
    const owner = await ownerOf(path);
    if (typeof owner === 'number') return owner;
    if (owner === 'gone') await breakLock(path);
    await sleep(50);
  }
}

/** Waits for the lock. `onWait` hears once whom we wait for. */
export async function lock(path: string, onWait: (pid: number) => void, signal?: AbortSignal): Promise<PidLock> {
  for (let told = false; ; told = true) {
    const result = await tryLock(path);
    if (typeof result !== 'number') return result;
    if (!told) onWait(result);
    await sleep(200, undefined, signal === undefined ? {} : { signal });
  }
}

/** Only one at a time may break a lock, or the second would break what the first has just taken. */
async function breakLock(path: string): Promise<void> {
  const breaking = `${path}.breaking`;
  if (!(await taken(breaking))) {
    if ((await ageMs(breaking)) > writingMs) await rm(breaking, { force: true });
    return;
  }
  try {
    if ((await ownerOf(path)) === 'gone') await rm(path, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Pid of the owner, `gone` when that process is no more, or `undefined` when there is none, or none yet. */
async function ownerOf(path: string): Promise<number | 'gone' | undefined> {
  let pid: number;
  try {
    pid = Number(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (pid === 0) return (await ageMs(path)) > writingMs ? 'gone' : undefined;
  return lives(pid, path) ? pid : 'gone';
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined); // Released just now: as young as can be.
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
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
