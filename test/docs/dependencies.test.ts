import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const listed = readFileSync(join(root, 'docs/decisions/0002-dependencies.md'), 'utf8');
const { dependencies, peerDependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>;

test.each(Object.entries({ ...dependencies, ...peerDependencies, ...devDependencies }))(
  'the dependency %s is pinned and has its reason',
  (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    expect(listed).toContain(`\`${name.replace('@temporalio/', '')}\``);
  },
);

/** Everything that we ship: the modules outside of tests and benchmarks. */
const shipped = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !/^(\..*|node_modules|dist|test|bench|docs)$/.test(entry.name))
  .flatMap(({ name }) => readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((file) => join(name, file)))
  .filter((file) => /\.(ts|js|mjs)$/.test(file))
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

test.each(Object.keys({ ...dependencies, ...peerDependencies }))('the dependency %s is imported by what we ship', (name) => {
  expect(shipped).toMatch(new RegExp(`(from |import |import\\()'${name}(/[^']+)?'`));
});
