import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const file = resolve(import.meta.dirname, '../../docker-compose.yml');
const { services } = parse(readFileSync(file, 'utf8')) as { readonly services: Readonly<Record<string, Service>> };
const secrets = ['POSTGRES_PASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

const compose = [['docker', 'compose'], ['docker-compose']].find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0);
if (compose === undefined) process.stderr.write('docker compose is not installed: the test that it accepts docker-compose.yml is skipped\n');

test('docker-compose.yml has all that a team shares', () => {
  expect(Object.keys(services)).toEqual(['postgres', 'temporal', 'temporal-ui', 's3', 'worker', 'server']);
});

describe.each(Object.entries(services))('%s', (_, service) => {
  test('listens on loopback only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test('is watched, and waits until what it needs is well', () => {
    expect(service.healthcheck?.test[0]).toMatch(/^CMD/);
    for (const { condition } of Object.values(service.depends_on ?? {})) expect(condition).toBe('service_healthy');
  });

  test('is a pinned image, or is built here', () => {
    expect(service.image ?? '127.0.0.1:1.0').toMatch(/:\d+\.\d+/);
    expect(service.image === undefined).toBe(service.build === '.');
  });

  test('takes secrets from the environment, and none has a default', () => {
    for (const [name, value] of Object.entries(service.environment)) {
      if (/PASSWORD|PWD|ACCESS_KEY/.test(name)) expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    }
  });
});

test('only ports have defaults', () => {
  const defaults = [...readFileSync(file, 'utf8').matchAll(/\$\{([A-Z_0-9]+):?-/g)].map(([, name]) => name!);
  expect(defaults.filter((name) => !name.endsWith('_PORT'))).toEqual([]);
});

test('nobody waits for less than they need: Postgres answers by TCP, and Temporal has its namespace', () => {
  expect(services['postgres']!.healthcheck!.test.join(' ')).toContain('-h 127.0.0.1');
  expect(services['temporal']!.healthcheck!.test.join(' ')).toContain('search-attribute list --namespace default');
});

test('no private key or secret of a clone gets into a layer of its image', () => {
  const ignored = readFileSync(resolve(file, '../.dockerignore'), 'utf8').split('\n');
  expect(ignored).toEqual(expect.arrayContaining(['keys', '**/*.key', '**/*.pem', '**/.env']));
});

(compose === undefined ? test.skip : test).each(secrets)('docker compose takes the file, but not without %s', (missing) => {
  const [command = '', ...args] = compose ?? [];
  const given = Object.fromEntries(secrets.map((name) => [name, `my own ${name}`]));
  const config = (env: Readonly<Record<string, string>>) =>
    execFileSync(command, [...args, '-f', file, 'config'], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8', stdio: 'pipe' });
  expect(config(given)).toContain(`my own ${missing}`);
  const { [missing]: _, ...others } = given;
  expect(() => config(others)).toThrow(missing);
});
