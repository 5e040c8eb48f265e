import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };

/** Docker or Podman, where its engine answers: `info` asks it. */
const engine = ['docker', 'podman'].find((command) => spawnSync(command, ['info']).status === 0);
if (engine === undefined) process.stderr.write('neither docker nor podman works here: the test that builds the image is skipped\n');
const whereThereIsAnEngine = engine === undefined ? test.skip : test;

function ask(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(engine!, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${engine} ${args.join(' ')} ended with ${status}: ${stderr.slice(-2000)}`);
  return stdout.trim();
}

const tag = 'perennial-under-test';

whereThereIsAnEngine(
  'the image is built from this source, is small, and runs as nobody special',
  () => {
    ask('build', '--tag', tag, '.');
    expect(ask('run', '--rm', tag, '--version')).toBe(version);
    expect(ask('run', '--rm', '--entrypoint', 'id', tag, '-u')).not.toBe('0');
    // Two thirds of it are Node's own image and the three engines.
    expect(Number(ask('image', 'inspect', tag, '--format', '{{.Size}}')) / 1e6).toBeLessThan(700);
    expect(() => ask('run', '--rm', '--entrypoint', 'ls', tag, 'node_modules/typescript')).toThrow('No such file');
  },
  900_000,
);

test('both images end as the same user with the same command, and hold nothing that only builds need', () => {
  const last = (path: string) =>
    readFileSync(join(root, path), 'utf8')
      .split(/^FROM .*$/m)
      .at(-1)!
      .replace(/^COPY .*\n/gm, '');
  expect(last('Dockerfile')).toBe(last('template/Dockerfile'));
  expect(last('Dockerfile')).toMatch(/^USER node$/m);
  expect(last('Dockerfile')).toMatch(/^HEALTHCHECK /m);
  for (const path of ['Dockerfile', 'template/Dockerfile']) expect(readFileSync(join(root, path), 'utf8')).toContain('--omit=dev');
});
