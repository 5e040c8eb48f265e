import { readFileSync } from 'node:fs';
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
