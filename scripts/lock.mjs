import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than it takes to write a few digits, on any machine. */
const writingMs = 5000;

/**
 * Runs `work` while no other process does so under the same file name: creating a file exclusively is atomic. A lock whose owner is gone (killed)
 * is taken over; `onWait` hears once whom we wait for. The twin of stores/pid-lock.ts, for before there is anything compiled.
 */
export async function withLock(file, onWait, work) {
  mkdirSync(dirname(file), { recursive: true });
  for (let told = false; !take(file);) {
    const owner = ownerOf(file);
    if (owner === 'gone') breakLock(file);
    if (typeof owner === 'number' && !told) {
      onWait(owner);
      told = true;
    }
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Only one at a time may break a lock, or the second would break what the first has just taken. */
function breakLock(file) {
  const breaking = `${file}.breaking`;
  if (!take(breaking)) {
    if (ageMs(breaking) > writingMs) rmSync(breaking, { force: true });
    return;
  }
  try {
    if (ownerOf(file) === 'gone') rmSync(file, { force: true });
  } finally {
    rmSync(breaking, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Pid of the owner, `gone` when that process is no more, or `undefined` when there is none, or none yet. */
function ownerOf(file) {
  let pid;
  try {
    pid = Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (pid === 0) return ageMs(file) > writingMs ? 'gone' : undefined;
  // In a container a restarted process has its predecessor's pid, and we do not hold the lock yet.
  return pid !== process.pid && alive(pid) ? pid : 'gone';
}

function ageMs(file) {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
