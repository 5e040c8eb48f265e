import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem } from 'node:os';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isOldNode } from '../node-version.ts';
import type { Check, Finding } from './finding.ts';

const gib = 2 ** 30;
const least = { diskGib: 1, comfortableDiskGib: 10, memoryGib: 1 };

export const node: Check = {
  of: 'node',
  async look() {
    const old = isOldNode(process.versions.node);
    return [
      {
        of: 'node',
        state: old ? 'ill' : 'well',
        found: `${process.version} on ${process.platform} ${process.arch}, ${availableParallelism()} cores`,
        ...(old && { cure: 'install Node 20.19 or newer: https://nodejs.org' }),
      },
    ];
  },
};

export const memory: Check = {
  of: 'memory',
  async look() {
    // In a container its limit counts, not what the machine has.
    const limit = process.constrainedMemory();
    const free = (limit > 0 && limit < 2 ** 60 ? process.availableMemory() : freemem()) / gib;
    const short = free < least.memoryGib;
    return [
      {
        of: 'memory',
        state: short ? 'doubtful' : 'well',
        found: `${free.toFixed(1)} GiB free`,
        ...(short && { cure: 'set worker.computeSlots to 1 in perennial.config.ts, or give the worker more memory' }),
      },
    ];
  },
};

/** The folders that are written to: home and, where it is a folder, the store. */
export const disk: Check = {
  of: 'disk',
  async look({ settings }) {
    const store = settings.store.startsWith('file:') ? fileURLToPath(settings.store) : settings.store;
    const folders = [...new Set([settings.home, ...(/^[a-z][a-z0-9+.-]+:/i.test(store) ? [] : [store])])];
    return Promise.all(folders.map(spaceOf));
  },
};

async function spaceOf(folder: string): Promise<Finding> {
  const { bavail, bsize, blocks } = await statfs(existing(folder));
  if (blocks === 0) {
    return {
      of: 'disk',
      state: 'ill',
      found: `${folder} is on no disk: its file system keeps no files`,
      cure: 'point PERENNIAL_HOME or PERENNIAL_STORE to a folder on a disk',
    };
  }
  const free = (bavail * bsize) / gib;
  const state = free < least.diskGib ? 'ill' : free < least.comfortableDiskGib ? 'doubtful' : 'well';
  return {
    of: 'disk',
    state,
    found: `${free.toFixed(1)} of ${((blocks * bsize) / gib).toFixed(0)} GiB free for ${folder}`,
    ...(state !== 'well' && {
      cure: 'free some, or point PERENNIAL_HOME or PERENNIAL_STORE to another disk; `perennial prune` removes what nothing needs',
    }),
  };
}

/** A folder that will be made lies on the disk of the one above it. */
const existing = (folder: string): string => (existsSync(folder) || folder === dirname(folder) ? folder : existing(dirname(folder)));
