import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { init, parse } from 'es-module-lexer';

/**
 * Digest of each compiled module under `root`, by its path with forward slashes: SHA-256 over the module and all its local imports, direct or not.
 * It is what a step's cache key calls its code, so it must not depend on where, when or on which platform the build ran.
 */
export async function codeDigests(root) {
  await init();
  const modules = new Map(moduleFiles(root).map((path) => [path, readModule(root, path)]));
  return Object.fromEntries([...modules.keys()].map((path) => [path, digestOf(path, modules)]));
}

/** Writes the digests of `root` to `root/code-digests.json`, only when they differ. */
export async function writeCodeDigests(root) {
  const file = join(root, 'code-digests.json');
  const text = `${JSON.stringify(await codeDigests(root), null, 1)}\n`;
  if (readIfThere(file) !== text) writeFileSync(file, text);
}

// Tests and benchmarks are nobody's code; without them an edited test re-makes nothing.
const outside = new Set(['test', 'bench']);

function moduleFiles(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path.includes('/') && !outside.has(path.split('/')[0]))
    .toSorted();
}

function readModule(root, path) {
  const text = readFileSync(join(root, path), 'utf8')
    .replaceAll('\r\n', '\n')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
    .trimEnd();
  const [imports] = parse(text, path);
  const local = imports
    .filter(({ specifier, glob }) => specifier !== undefined && !glob && /^\.\.?\//.test(specifier))
    .map(({ specifier }) => posix.join(posix.dirname(path), specifier));
  return { sha256: createHash('sha256').update(text).digest('hex'), local };
}

function digestOf(path, modules) {
  const reached = new Set();
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    // An import that was not compiled (a missing file) is the compiler's to report.
    if (reached.has(next) || !modules.has(next)) continue;
    reached.add(next);
    waiting.push(...modules.get(next).local);
  }
  const hash = createHash('sha256');
  for (const each of [...reached].toSorted()) hash.update(`${each}\0${modules.get(each).sha256}\n`);
  return hash.digest('hex');
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
