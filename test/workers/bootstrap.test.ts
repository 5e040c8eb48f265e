import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from './processes.ts';

const repository = resolve(import.meta.dirname, '../..');

/** Stands in for npm, whose real `ci` takes a minute: leaves a compiler that copies, and tells what it was called with. */
const npm = `
const { appendFileSync, chmodSync, mkdirSync, symlinkSync, writeFileSync } = require('node:fs');
console.log('npm talks on its standard output');
appendFileSync('npm.log', JSON.stringify({ args: process.argv.slice(2), json: process.env.npm_config_json ?? null }) + '\\n');
if (process.env.NPM_FAILS) process.exit(7);
mkdirSync('node_modules/typescript/bin', { recursive: true });
symlinkSync(${JSON.stringify(join(repository, 'node_modules/es-module-lexer'))}, 'node_modules/es-module-lexer');
writeFileSync('node_modules/typescript/bin/tsc', \`
  const { cpSync, existsSync } = require('node:fs');
  // Like the real one it leaves alone what is as it was.
  cpSync('source', 'dist', { recursive: true, filter: (from, to) => !from.endsWith('.js') || !existsSync(to) });
  if (existsSync('type-error')) { console.log('core/x.ts(1,1): error TS1: wrong'); process.exit(2); }
\`);
`;
/** Stands in for the tools of `test` and `check`. */
const tool = `
const { basename } = require('node:path');
console.log(JSON.stringify([basename(__filename), ...process.argv.slice(2), process.env.TEMPORAL_CLI_PATH ?? null]));
console.log(process.env.NODE_OPTIONS ?? '');
process.exitCode = process.env.FAILS === basename(__filename) ? 1 : 0;
`;
const main = `
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(143); });
console.log(JSON.stringify(process.argv.slice(2)));
if (process.argv.includes('--stay')) setInterval(() => {}, 1000);
else process.exitCode = 3;
`;

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'perennial-clone-')));
  await cp(join(repository, 'scripts'), join(folder, 'scripts'), { recursive: true });
  await mkdir(join(folder, 'source/cli'), { recursive: true });
  await mkdir(join(folder, 'cli'));
  await Promise.all(
    Object.entries({ 'package-lock.json': '{}', 'package.json': '{"type":"module"}', 'cli/main.ts': '', 'source/cli/main.js': main }).map(
      ([name, text]) => writeFile(join(folder, name), text),
    ),
  );
  // A file that ends in .js, as npm's own does.
  await mkdir(join(folder, 'npm'));
  await writeFile(join(folder, 'npm/package.json'), '{"type":"commonjs"}');
  await writeFile(join(folder, 'npm/npm-cli.js'), npm);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env['PATH'],
  npm_execpath: join(folder, 'npm/npm-cli.js'),
  ...more,
});

async function bootstrap(args: readonly string[], env: Readonly<Record<string, string>> = {}, node: readonly string[] = []) {
  return new Promise<{ code: number; out: string; err: string }>((done) => {
    execFile(
      process.execPath,
      [...node, join(folder, 'scripts/bootstrap.mjs'), ...args],
      { cwd: folder, env: environment(env) },
      (error, out, err) => {
        done({ code: Number(error?.code ?? 0), out, err });
      },
    );
  });
}

const npmCalls = async (): Promise<unknown[]> =>
  (await readFile(join(folder, 'npm.log'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('bootstrap', () => {
  test('installs, builds and starts; standard output is the command’s alone, and so is the exit code', async () => {
    const { code, out, err } = await bootstrap(['demo', '--exit', '--json'], { npm_config_json: 'true' });
    expect({ code, out }).toEqual({ code: 3, out: '["demo","--exit","--json"]\n' });
    expect(err).toContain('npm talks');
    expect(await npmCalls()).toEqual([{ args: ['ci', '--loglevel=notice', '--no-audit', '--no-fund'], json: null }]);
  });

  test('installs again only when the lock file changed', async () => {
    await bootstrap(['demo']);
    await bootstrap(['demo']);
    expect(await npmCalls()).toHaveLength(1);
    await writeFile(join(folder, 'package-lock.json'), '{ }');
    await rm(join(folder, 'node_modules/es-module-lexer'));
    await bootstrap(['demo']);
    expect(await npmCalls()).toHaveLength(2);
  });

  test('run twice at the same time installs once, and a lock whose owner was killed does not stop it', async () => {
    await mkdir(join(folder, '.perennial'));
    await writeFile(join(folder, '.perennial/build.lock'), '4194304'); // Linux gives no pid as high as that.
    const runs = await Promise.all([1, 2, 3].map(() => bootstrap(['demo'])));
    expect(runs.map(({ code, err }) => (code === 3 ? code : err))).toEqual([3, 3, 3]);
    expect(await npmCalls()).toHaveLength(1);
  });

  test('says what failed, and starts nothing', async () => {
    expect(await bootstrap(['demo'], { NPM_FAILS: '1' })).toMatchObject({ code: 7, out: '', err: expect.stringContaining('`npm ci` failed') });
    await writeFile(join(folder, 'type-error'), '');
    expect(await bootstrap(['demo'])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/error TS1: wrong[^]*the build failed/) });
    expect(await bootstrap(['party'])).toMatchObject({ code: 2, err: expect.stringContaining('usage') });
  });

  test('says that options went to npm, and how to write it', async () => {
    const { err } = await bootstrap(['demo'], { npm_config_json: 'true', npm_config_exit: 'true' });
    expect(err).toContain('write `npm run demo -- --json --exit`');
  });

  test('refuses an old Node in words', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.0"}})';
    expect(await bootstrap(['demo'], {}, ['--import', old])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('needs Node 20.19 or newer'),
    });
  });

  // The shells stand where npm and its shell stand; without `exec` a shell stays as the parent of what it starts.
  test.each<[string, NodeJS.Signals, (command: string) => string]>([
    ['passes SIGTERM on', 'SIGTERM', (command) => `exec ${command}`],
    ['ends what it started when its parent is killed', 'SIGKILL', (command) => `${command}; true`],
    ['ends what it started when npm, above its parent, is killed', 'SIGKILL', (command) => `/bin/sh -c '${command}; true'; true`],
  ])('%s', async (_, signal, inShell) => {
    const command = inShell(`${process.execPath} scripts/bootstrap.mjs demo --stay`);
    const started = spawn('/bin/sh', ['-c', command], {
      cwd: folder,
      env: environment({ npm_lifecycle_event: 'demo' }),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    started.stdout.setEncoding('utf8').on('data', (chunk: string) => void (out += chunk));
    await until(() => out.includes('--stay'));
    started.kill(signal);
    await once(started.stdout, 'close');
    expect(out).toContain('asked to end');
  });
});

describe('the commands for tests and checks', () => {
  beforeEach(async () => {
    await bootstrap(['demo']);
    const files = {
      'node_modules/jest/bin/jest.js': tool,
      'node_modules/oxfmt/bin/oxfmt': tool,
      'node_modules/oxlint/bin/oxlint': tool,
      'node_modules/publint/src/cli.js': tool,
      'node_modules/@arethetypeswrong/cli/dist/index.js': tool,
      'source/workers/config.js': 'export const settingsOf = () => ({ temporal: { cli: {} } });',
      'source/workers/temporal-cli.js': 'export const findTemporalCli = async () => "/found/temporal";',
      'source/test/support/s3.js': 'export const s3Binary = async () => "/found/s3";',
      'test/support/s3.ts': '',
      'workers/config.ts': '',
      'workers/temporal-cli.ts': '',
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    for (const name of ['jest', 'oxfmt', 'oxlint', 'publint', '@arethetypeswrong/cli'])
      await writeFile(join(folder, 'node_modules', name, 'package.json'), '{"type":"commonjs"}');
  });

  test('test finds the Temporal server and hands arguments on to Jest', async () => {
    const { code, out } = await bootstrap(['test', '-i', 'test/core'], { FAILS: 'jest.js' });
    expect(code).toBe(1);
    expect(out).toMatch(/^\["jest\.js","-i","test\/core","\/found\/temporal"\]\n.*--experimental-vm-modules/);
  });

  test('check says everything that failed, and leaves out what needs a server or a browser', async () => {
    const { code, out, err } = await bootstrap(['check'], { FAILS: 'oxlint' });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('failed: lint\n') });
    expect(out).toMatch(/"oxfmt","--check",[^]*"oxlint","--type-aware",[^]*"jest\.js",.*server\|browser/);
  });

  test('check --static leaves the tests to the caller', async () => {
    const { code, out } = await bootstrap(['check', '--static']);
    expect(code).toBe(0);
    expect(out).not.toContain('jest');
  });
});

describe('the code digest of a module', () => {
  const digests = async (files: Readonly<Record<string, string>>, root = join(folder, 'built')): Promise<Record<string, string>> => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(root, name, '..'), { recursive: true });
      await writeFile(join(root, name), text);
    }
    await mkdir(join(folder, 'node_modules'), { recursive: true });
    await symlink(join(repository, 'node_modules/es-module-lexer'), join(folder, 'node_modules/es-module-lexer')).catch(() => {});
    const script = `import { codeDigests } from './scripts/code-digests.mjs'; console.log(JSON.stringify(await codeDigests(${JSON.stringify(root)})))`;
    return new Promise((done, fail) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], { cwd: folder }, (error, out) =>
        error ? fail(error) : done(JSON.parse(out)),
      );
    });
  };
  const files = {
    'activities/judge.js':
      "import { gate } from '../core/gate.js';\nexport * from './verdict.js';\nimport 'zod';\nconst late = () => import('../core/late.js');\n",
    'activities/verdict.js': "import './judge.js';\n",
    'activities/other.js': 'export {};\n',
    'core/gate.js': 'export const gate = 1;\n//# sourceMappingURL=gate.js.map',
    'core/late.js': 'export {};\n',
    'test/x.js': 'export {};\n',
  };

  test('does not depend on the folder, on line ends or on source maps', async () => {
    const here = await digests(files);
    const there = await digests(
      { ...files, 'core/gate.js': 'export const gate = 1;\r\n//# sourceMappingURL=other.js.map\r\n' },
      join(folder, 'elsewhere'),
    );
    expect(there).toEqual(here);
    expect(Object.keys(here)).toEqual(
      Object.keys(files)
        .filter((name) => !name.startsWith('test/'))
        .toSorted(),
    );
  });

  test.each([
    ['itself', 'activities/judge.js'],
    ['what it imports', 'core/gate.js'],
    ['what it exports from', 'activities/verdict.js'],
    ['what it imports later', 'core/late.js'],
  ])('changes with %s, and only then', async (_, changed) => {
    const before = await digests(files);
    const after = await digests({ [changed]: `export const more = 1;\n${files[changed as keyof typeof files]}` });
    expect(after['activities/judge.js']).not.toBe(before['activities/judge.js']);
    expect(after['activities/other.js']).toBe(before['activities/other.js']);
  });
});

describe('the sum of the tests', () => {
  async function tally(result?: object): Promise<unknown> {
    const file = join(folder, 'result.json');
    if (result !== undefined) await writeFile(file, JSON.stringify(result));
    return new Promise((done) => {
      execFile(process.execPath, [join(folder, 'scripts/tally.mjs'), file], (error, out) => done([out, Number(error?.code ?? 0)]));
    });
  }
  const result = { numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 0, numPendingTests: 2, numTodoTests: 1 };

  test.each([
    ['all is well', result, ['5 passed, 0 failed, 3 skipped\n', 0]],
    ['a test failed', { ...result, numFailedTests: 1 }, ['5 passed, 1 failed, 3 skipped\n', 1]],
    ['a file could not be loaded', { ...result, numRuntimeErrorTestSuites: 2 }, ['5 passed, 2 failed, 3 skipped\n', 1]],
    ['nothing ran', { ...result, numPassedTests: 0 }, ['0 passed, 0 failed, 3 skipped\n', 1]],
    ['there is no result', undefined, ['0 passed, 1 failed, 0 skipped\n', 1]],
  ])('is right when %s', async (_, given, expected) => {
    expect(await tally(given)).toEqual(expected);
  });
});
