import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lock, type PidLock, tryLock } from '../../stores/pid-lock.ts';

const nobody = '4194304'; // Linux gives no pid as high as that.

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-lock-'));
  path = join(folder, 'deep/er.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a lock is held by one at a time, also when many take over that of a process that is gone', async () => {
  await (await lock(path, () => {})).release();
  for (let round = 0; round < 3; round++) {
    await writeFile(path, nobody);
    let inside = 0;
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const taken = await lock(path, () => {});
        expect(++inside).toBe(1);
        await sleep(1);
        inside--;
        await taken.release();
      }),
    );
  }
});

test('whoever finds it taken hears by whom, and it can be handed to another process', async () => {
  const taken = (await tryLock(path)) as PidLock;
  expect(await tryLock(path)).toBe(process.pid);
  await taken.handTo(process.ppid);
  expect(await tryLock(path)).toBe(process.ppid);
  await taken.release();
  await (await lock(path, () => {})).release();
});

test('waiting for it can be given up', async () => {
  const taken = (await tryLock(path)) as PidLock;
  const told: number[] = [];
  await expect(lock(path, (pid) => told.push(pid), AbortSignal.timeout(300))).rejects.toThrow('aborted');
  expect(told).toEqual([process.pid]);
  expect(await readFile(path, 'utf8')).toBe(String(process.pid));
  await taken.release();
});
