import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process does so under the same folder name: `mkdir` is atomic on every file system.
 * A lock whose owner is gone (killed) is taken over; `onWait` hears once whom we wait for.
 */
export async function withLock(folder, onWait, work) {
  const ownerFile = join(folder, 'pid');
  mkdirSync(dirname(folder), { recursive: true });
  for (let told = false; !take(folder);) {
    const owner = ownerOf(ownerFile);
    if (owner === undefined || !alive(owner)) {
      // Without an owner for a moment it may be one being taken just now; look twice before breaking it.
      await sleep(250);
      if (ownerOf(ownerFile) === owner) rmSync(folder, { recursive: true, force: true });
    } else {
      if (!told) onWait(owner);
      told = true;
      await sleep(100);
    }
  }
  try {
    writeFileSync(ownerFile, String(process.pid));
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function take(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function alive(pid) {
  // In a container a restarted process has its predecessor's pid, and we do not hold the lock yet.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
