import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A file system of a test's own that is really full after a few bytes. */
export interface SmallDisk {
  readonly folder: string;
  unmount(): void;
}

let disks = 0;

/** Mounts a disk of such a size (`4m`). Whoever mounts it in a hook unmounts it in another. @throws where the system lets us mount none. */
export function mountSmallDisk(size: string): SmallDisk {
  const folder = join(tmpdir(), `perennial-small-disk-${process.pid}-${disks++}`);
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
  return { folder, unmount: () => void execFileSync('sh', ['-c', `umount ${folder} && rmdir ${folder}`], { cwd: dirname(folder) }) };
}

/** Whether this system lets us mount one; where it does not, tests of a full disk are skipped, visibly. */
export const hasSmallDisks: boolean = (() => {
  try {
    mountSmallDisk('1m').unmount();
    return true;
  } catch {
    process.stderr.write('no small disk can be mounted here: the tests of a full disk are skipped\n');
    return false;
  }
})();
