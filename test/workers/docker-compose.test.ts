import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const file = resolve(import.meta.dirname, '../../docker-compose.yml');
const text = readFileSync(file, 'utf8');
const compose = [['docker', 'compose'], ['docker-compose']].find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0);
if (compose === undefined) process.stderr.write('docker compose is not installed: the test that it accepts docker-compose.yml is skipped\n');

describe('docker-compose.yml', () => {
  (compose === undefined ? test.skip : test)('is accepted, and only with a secret of the user’s own', () => {
    const [command = '', ...args] = compose ?? [];
    const config = (env: Readonly<Record<string, string>>) =>
      execFileSync(command, [...args, '-f', file, 'config'], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8', stdio: 'pipe' });
    expect(config({ POSTGRES_PASSWORD: 'of my own' })).toContain('of my own');
    expect(() => config({})).toThrow('POSTGRES_PASSWORD');
  });

  test('listens on loopback only, pins its images, and watches the health of each service', () => {
    const published = text.match(/^ {6}- .*:\d+$/gm) ?? [];
    expect(published).not.toHaveLength(0);
    for (const port of published) expect(port).toMatch(/- 127\.0\.0\.1:/);
    for (const image of text.match(/image: .*/g) ?? []) expect(image).toMatch(/:\d+\.\d+/);
    expect(text.match(/healthcheck:/g)).toHaveLength(text.match(/image:/g)?.length ?? 0);
  });
});
