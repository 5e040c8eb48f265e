import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A file system of a test's own that is really full after a few bytes. */
export interface SmallDisk {
  readonly folder: string;
  unmount(): void;
}

let disks = 0;

/** A disk of such a size (`4m`), where the system lets us mount one; elsewhere tests of a full disk are skipped, visibly. */
export function mountSmallDisk(size: string): SmallDisk | undefined {
  const folder = join(tmpdir(), `perennial-small-disk-${process.pid}-${disks++}`);
  try {
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    process.stderr.write('no small disk can be mounted here: the test of a full disk is skipped\n');
    return undefined;
  }
  return { folder, unmount: () => void execFileSync('sh', ['-c', `umount ${folder} && rmdir ${folder}`], { cwd: dirname(folder) }) };
}
