import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Config, defineConfig, parseConfig } from '../../core/config.ts';
import { compiled } from '../../workers/compiled.ts';
import { type Settings, settingsOf } from '../../workers/config.ts';

describe('settings', () => {
  test('have a default for everything, below the project', () => {
    expect(settingsOf({}, '/films', { PATH: '/bin', XDG_CACHE_HOME: '/cache' })).toEqual({
      project: '/films',
      home: '/films/.perennial',
      store: '/films/.perennial/store',
      pipelines: '/films/pipelines',
      connections: {},
      taskQueue: 'perennial',
      port: undefined,
      worker: {},
      security: {},
      temporal: {
        namespace: 'default',
        given: undefined,
        dataFolder: '/films/.perennial/temporal',
        port: undefined,
        uiPort: undefined,
        cli: { path: '/bin', cacheFolder: '/cache/perennial' },
      },
    });
  });

  test('name keys by reference, at absolute paths', () => {
    const config: Config = {
      encryption: { current: 'k1', keys: { k1: { file: 'keys/k1' }, k0: { env: 'OLD_KEY' } } },
      signing: { key: { file: 'keys/sign.pem' }, trust: ['keys/sign.pub'] },
      approvers: { ada: { publicKey: 'keys/ada.pub' } },
      openLineage: { file: 'events.jsonl' },
    };
    expect(settingsOf(config, '/films', {})).toMatchObject({
      security: {
        encryption: { current: 'k1', keys: { k1: { file: '/films/keys/k1' }, k0: { env: 'OLD_KEY' } } },
        signing: { key: { file: '/films/keys/sign.pem' }, trust: ['/films/keys/sign.pub'] },
        approvers: { ada: { publicKey: '/films/keys/ada.pub' } },
      },
      openLineage: { file: '/films/events.jsonl' },
    });
  });

  test('come from the environment before the configuration', () => {
    const config: Config = { store: 'mine', taskQueue: 'films', temporal: { address: 'a:1', namespace: 'one', port: 7000 } };
    expect(settingsOf(config, '/films', {})).toMatchObject({
      store: '/films/mine',
      taskQueue: 'films',
      temporal: { namespace: 'one', port: 7000, given: { address: 'a:1' } },
    });
    const environment = {
      PERENNIAL_HOME: '/var/perennial',
      PERENNIAL_STORE: 's3://bucket/prefix',
      PERENNIAL_PORT: '8000',
      PERENNIAL_TEMPORAL_PORT: '7001',
      TEMPORAL_ADDRESS: 'b:2',
      TEMPORAL_NAMESPACE: 'two',
      TEMPORAL_API_KEY: 'key',
    };
    expect(settingsOf(config, '/films', environment)).toMatchObject({
      home: '/var/perennial',
      store: 's3://bucket/prefix',
      port: 8000,
      temporal: { namespace: 'two', port: 7001, given: { address: 'b:2', apiKey: 'key', tls: true } },
    });
  });

  test('refuse a port that is none', () => {
    expect(() => settingsOf({}, '/films', { PERENNIAL_PORT: 'http' })).toThrow('PERENNIAL_PORT=http is not a port');
  });

  test('resolve the folders of connections from the project', () => {
    const { connections } = settingsOf({ connections: { catalogue: { kind: 'folder', path: 'data' } } }, '/films', {});
    expect(connections).toEqual({ catalogue: { kind: 'folder', path: '/films/data' } });
  });

  test('resolve the files of keys from the project, and keep no key', () => {
    const hospital = { kind: 'folder', path: 'inbox', identity: { file: 'keys/a' }, pseudonymKey: { env: 'KEY' } } as const;
    const { connections } = settingsOf({ connections: { hospital } }, '/clinic', { KEY: 'the key' });
    expect(connections).toEqual({ hospital: { ...hospital, path: '/clinic/inbox', identity: { file: '/clinic/keys/a' } } });
  });
});

describe('a configuration', () => {
  test('is refused with every field that is wrong', () => {
    const wrong = {
      stor: 'x',
      connections: { api: { kind: 'http', baseUrl: 'ftp://x', allowedHosts: [], token: 'secret' }, 'B A': { kind: 'folder', path: 'x' } },
    };
    let problems: unknown;
    try {
      parseConfig(wrong, 'perennial.config.ts');
    } catch (error) {
      problems = (error as { facts: { problems: string[] } }).facts.problems;
    }
    expect(problems).toEqual(
      expect.arrayContaining([
        'connections.api.baseUrl: expected an http or https URL',
        'connections.api.allowedHosts: name at least the host of baseUrl',
        expect.stringContaining('connections.api.token: a secret is named, not written down'),
        expect.stringContaining('connections.B A: '),
        expect.stringContaining('"stor"'),
      ]),
    );
  });

  test('with a misspelt field or a secret in it does not compile', () => {
    // @ts-expect-error -- there is no such field
    defineConfig({ stores: 'x' });
    // @ts-expect-error -- a secret is named, not written down
    defineConfig({ connections: { api: { kind: 'http', baseUrl: 'https://x', allowedHosts: ['x'], token: 'secret' } } });
    expect(defineConfig({ store: 'x' })).toEqual({ store: 'x' });
  });
});

describe('perennial.config.ts', () => {
  let folder: string;
  beforeEach(async () => void (folder = await realpath(await mkdtemp(join(tmpdir(), 'perennial-config-')))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function load(files: Readonly<Record<string, string>>): Promise<Settings & { error?: string; message?: string }> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const { stdout } = await promisify(execFile)(process.execPath, [compiled('test/workers/print-settings')], { cwd: folder, env: {} });
    return JSON.parse(stdout);
  }

  test('may be TypeScript that imports TypeScript, on a Node that cannot read it', async () => {
    const settings = await load({
      'place.ts': 'interface Place { readonly path: string }\nexport const place = { path: "data" } satisfies Place as Place;\n',
      'perennial.config.ts':
        'import type { Config } from "perennial-ml";\nimport { place } from "./place.ts";\nexport default { store: "kept", connections: { catalogue: { kind: "folder", ...place } } } satisfies Config;\n',
    });
    expect(settings).toMatchObject({ store: join(folder, 'kept'), connections: { catalogue: { path: join(folder, 'data') } } });
  });

  test('may be absent', async () => {
    expect(await load({})).toMatchObject({ store: join(folder, '.perennial/store') });
  });

  test.each([
    ['has no default export', 'export const config = {};', /has no default export/],
    ['does not compile', 'export default {', /cannot be loaded/],
    ['is wrong', 'export default { store: 1 };', /store: .*expected string/],
  ])('that %s is ConfigInvalid, with its path', async (_, text, message) => {
    const { error, message: said } = await load({ 'perennial.config.ts': text });
    expect(error).toBe('ConfigInvalid');
    expect(said).toMatch(message);
    expect(said).toContain(join(folder, 'perennial.config.ts'));
  });
});
