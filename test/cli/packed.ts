import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';

const root = resolve(import.meta.dirname, '../..');
export const run = promisify(execFile);

/** A project that the packed package made. */
export interface PackedProject {
  readonly here: Surroundings;
  /** Files of the package as npm would publish it. */
  readonly files: readonly string[];
  /** Runs the project's own compiler. */
  compile(): Promise<{ readonly code: number; readonly stdout: string }>;
  remove(): Promise<void>;
}

/**
 * Packs this repository as npm would publish it, and makes a project with it: what is not in `files` is not there. All other packages are those of this
 * repository, by links, since a real install takes half a minute.
 */
export async function initFromPackage(name = 'my-project'): Promise<PackedProject> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-packed-'));
  const packages = join(folder, 'node_modules');
  const own = join(packages, 'perennial-ml');
  await mkdir(own, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root });
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string; readonly files: readonly { readonly path: string }[] }[];
  await run('tar', ['-xzf', join(folder, packed!.filename), '-C', own, '--strip-components', '1']);
  for (const each of await readdir(join(root, 'node_modules'))) await symlink(join(root, 'node_modules', each), join(packages, each));

  const cli = join(own, 'dist/cli/main.js');
  const made = await perennial({ project: folder, home: join(folder, 'home'), cli }, 'init', name, '--json');
  if (made.code !== 0) throw new Error(`init ended with ${made.code}: ${made.stderr}`);
  const project = join(folder, name);
  return {
    here: { project, home: join(project, '.perennial'), cli },
    files: packed!.files.map(({ path }) => path),
    compile: () =>
      run(process.execPath, [join(packages, 'typescript/bin/tsc'), '-p', project]).then(
        ({ stdout: text }) => ({ code: 0, stdout: text }),
        (error: { readonly code: number; readonly stdout: string }) => ({ code: error.code, stdout: error.stdout }),
      ),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
