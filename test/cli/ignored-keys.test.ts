import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const template = resolve(import.meta.dirname, '../../template');

describe('a project that init makes', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-ignored-'));
    await run('git', ['init', '--quiet', folder]);
    await cp(join(template, 'gitignore'), join(folder, '.gitignore'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const isIgnored = (path: string): Promise<boolean> =>
    run('git', ['check-ignore', '--quiet', path], { cwd: folder }).then(
      () => true,
      ({ code }: { code: number }) => (code === 1 ? false : Promise.reject(new Error(`git ended with ${code}`))),
    );

  test.each(['keys/signing.key', 'keys/payloads-2026', 'keys/ada.pem', 'signing.key', '.env'])('keeps the private %s out of git', async (path) => {
    expect(await isIgnored(path)).toBe(true);
  });

  test.each(['keys/signing.pub', 'keys/ada.pub'])('commits the public %s', async (path) => {
    expect(await isIgnored(path)).toBe(false);
  });

  test('has every public key in its image, and no private one', async () => {
    const lines = (await readFile(join(template, 'dockerignore'), 'utf8')).split('\n');
    expect(lines.filter((line) => line.includes('keys') || line.includes('pem') || line.endsWith('.key'))).toEqual([
      '!keys/*.pub',
      '**/*.key',
      '**/*.pem',
    ]);
  });
});
