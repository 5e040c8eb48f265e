/**
 * Compiles to `dist/`: everything but Jest's own test files runs from there (workers, children, workflow bundles, the command line).
 * Quick when nothing changed. What compiles is emitted even where something else does not, and then the build fails.
 */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';

export const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

/** @returns {Promise<number>} The compiler's exit code; its messages went to stderr. */
export async function build() {
  mkdirSync(dist, { recursive: true });
  removeOrphans();
  const code = await compile();
  copyAssets();
  makeExecutable(join(dist, 'cli', 'main.js'));
  const { writeCodeDigests } = await import('./code-digests.mjs');
  await writeCodeDigests(dist);
  return code;
}

function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = ['-p', join(root, 'tsconfig.json'), '--incremental', '--tsBuildInfoFile', join(dist, 'compiler.tsbuildinfo')];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.pipe(process.stderr, { end: false });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Output whose source is gone would still be imported, bundled and digested. */
function removeOrphans() {
  const compiled = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.js'));
  for (const entry of compiled) {
    const path = relative(dist, join(entry.parentPath, entry.name));
    const stem = path.slice(0, -'.js'.length);
    if (existsSync(join(root, `${stem}.ts`)) || (path.startsWith('page') && existsSync(join(root, path)))) continue;
    for (const suffix of ['.js', '.js.map', '.d.ts']) rmSync(join(dist, stem + suffix), { force: true });
    // The compiler believes what its notes say was emitted.
    rmSync(join(dist, 'compiler.tsbuildinfo'), { force: true });
  }
}

/** Only what changed: a server that runs from `dist/` may be reading the rest. */
function copyAssets() {
  copyChanged('page', (from) => !['.ts', '.md'].includes(extname(from)));
  copyChanged('trainers/python', (from) => extname(from) !== '.ts' && basename(from) !== '__pycache__');
}

function copyChanged(name, wanted) {
  const source = join(root, name);
  if (!existsSync(source)) return;
  const differs = (from, to) => statSync(from).isDirectory() || !existsSync(to) || !readFileSync(from).equals(readFileSync(to));
  cpSync(source, join(dist, name), { recursive: true, filter: (from, to) => wanted(from) && differs(from, to) });
}

function makeExecutable(path) {
  if (existsSync(path)) chmodSync(path, 0o755);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const waiting = (pid) => process.stderr.write(`waiting for another build (process ${pid})\n`);
  process.exitCode = await withLock(join(root, '.perennial', 'build.lock'), waiting, build);
}
