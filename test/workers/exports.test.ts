import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
};

/** What a user would miss first. */
const offered: Readonly<Record<string, string>> = {
  '.': 'defineModel',
  './workflow': 'steps',
  './client': 'connect',
  './worker': 'startWorker',
  './serving': 'loadModel',
  './typescript': 'typescriptArgv',
};

test.each(Object.entries(exports))('the built package has %s, with its types', async (path, target) => {
  expect(existsSync(join(root, target.types))).toBe(true);
  const address = JSON.stringify(name + path.slice(1));
  const script = `console.log(JSON.stringify(Object.keys(await import(${address})))); process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  expect(JSON.parse(stdout)).toContain(offered[path]);
});
