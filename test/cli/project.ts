import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A project of somebody who has installed the package, in a temporary folder. */
export async function makeProject(files: Readonly<Record<string, string>>): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-project-'));
  await mkdir(join(folder, 'pipelines'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(resolve(import.meta.dirname, '../..'), join(folder, 'node_modules', 'perennial-ml'), 'dir');
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
