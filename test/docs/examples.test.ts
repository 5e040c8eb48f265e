import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
/** The source of what a user imports from `perennial-ml`. */
const entry = 'index.ts';

// Inside the repository, so that its packages are found; its folders and those of the examples are one tree to the compiler.
mkdirSync(join(root, '.perennial'), { recursive: true });
const folder = mkdtempSync(join(root, '.perennial/examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The TypeScript of a page: each block that begins with the path of its file. */
const examplesOf = (page: string) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n\/\/ (\S+\.ts)\n(.*?)^```/gms)].map(([, path, text]) => ({
    path: path!,
    text: text!,
  }));

/** The compiler's complaints about these files, as parts of a project that also has `beside`. */
function complaints(tree: string, examples: ReturnType<typeof examplesOf>, beside: readonly string[]): string[] {
  for (const { path, text } of examples) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  const fromTree = (path: string) => relative(tree, join(root, path));
  const {
    rootDir: _rootDir,
    outDir: _outDir,
    ...options
  } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions as Record<string, unknown>;
  const paths = { 'perennial-ml': [fromTree(entry)], ms: [fromTree('node_modules/ms/dist/index.d.ts')] };
  const compilerOptions = { ...options, noEmit: true, declaration: false, rootDirs: ['.', fromTree('.')], paths };
  const files = [...examples.map(({ path }) => path), ...beside.map(fromTree)];
  writeFileSync(join(tree, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', tree], { encoding: 'utf8' });
  // Faults of other files are the business of other checks.
  return stdout.split('\n').filter((line) => examples.some(({ path }) => line.includes(path)));
}

describe.each([
  // A contributor's file has the whole of the repository around it, a user's only what it imports.
  ['CONTRIBUTING.md', ['core/tasks/index.ts', 'trainers/index.ts'], 2],
  ['docs/first-model.md', [], 2],
  ['docs/first-table.md', [], 2],
] as const)('%s', (page, beside, count) => {
  test('shows only examples that compile', () => {
    const examples = examplesOf(page);
    expect(examples).toHaveLength(count);
    expect(complaints(join(folder, page.replaceAll(/\W/g, '-')), examples, beside)).toEqual([]);
  });
});

test.each(['docs/first-model.md', 'docs/first-table.md'])('%s shows files of a new project as they are there', (page) => {
  const there = examplesOf(page).filter(({ path }) => existsSync(join(root, 'template', path)));
  expect(there).not.toHaveLength(0);
  for (const { path, text } of there) expect(text).toBe(readFileSync(join(root, 'template', path), 'utf8'));
});

test('a page with a misspelt trainer would be found', () => {
  const [config, model] = examplesOf('docs/first-model.md');
  const misspelt = { path: model!.path, text: model!.text.replace("trainer: 'ease'", "trainer: 'eaze'") };
  expect(complaints(join(folder, 'misspelt'), [config!, misspelt], []).join('\n')).toContain('eaze');
});
