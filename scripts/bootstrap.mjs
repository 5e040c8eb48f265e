/**
 * What `npm run demo`, `npm test`, `npm run check` and `npm run acceptance` start: from a fresh clone to the thing itself. Only `node:` modules are imported before
 * the packages are there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...path) => join(root, ...path);
/** Standard output is for results (`--json`); talk goes to standard error. */
const say = (line) => process.stderr.write(`${line}\n`);

const commands = {
  demo: (args) => run(process.execPath, [inRoot('dist/cli/main.js'), 'demo', ...args]),
  test: async (args) => jest(args, { ...(await temporalEnvironment()), ...(await s3Environment()) }),
  acceptance: async (args) => run(process.execPath, [inRoot('dist/bench/acceptance.js'), ...args], await temporalEnvironment()),
  check: async (args) => {
    // `--static`: without the tests, for a caller that runs all of them next.
    const tests = args.includes('--static') ? [] : [['unit tests', () => jest(unitTests)]];
    const failed = [];
    for (const [name, start] of [...staticChecks, ...tests]) {
      say(`▸ ${name}`);
      if ((await start()) !== 0) failed.push(name);
    }
    say(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
    return failed.length === 0 ? 0 : 1;
  },
};

// Types are checked by the build, which went before.
const staticChecks = [
  ['format', () => run(process.execPath, [inRoot('node_modules/oxfmt/bin/oxfmt'), '--check', '.'])],
  ['lint', () => run(process.execPath, [inRoot('node_modules/oxlint/bin/oxlint'), '--type-aware', '.'])],
  // What a user's tools make of the package: what it exports is there, and typed, for those who import it as a module.
  ['package', () => run(process.execPath, [inRoot('node_modules/publint/src/cli.js'), '--strict'])],
  [
    'package types',
    () =>
      run(process.execPath, [
        inRoot('node_modules/@arethetypeswrong/cli/dist/index.js'),
        '--pack',
        '--profile',
        'esm-only',
        '--format',
        'table-flipped',
      ]),
  ],
];
const unitTests = [
  inRoot('node_modules/jest/bin/jest.js'),
  '--testPathIgnorePatterns',
  '\\.(server|browser)\\.test\\.ts$',
  '/node_modules/',
  '/dist/',
];

const owners = watchOwners();
process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]) {
  if (!Object.hasOwn(commands, name ?? '')) {
    say(`usage: node scripts/bootstrap.mjs <${Object.keys(commands).join('|')}> [arguments]`);
    return 2;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    say(`Perennial needs Node 20.19 or newer, and this is ${process.version} (${process.execPath}): install a newer one from https://nodejs.org`);
    return 1;
  }
  warnOfLostOptions(name, args);
  const { withLock } = await import('./lock.mjs');
  const prepared = await withLock(
    inRoot('.perennial', 'build.lock'),
    (pid) => say(`process ${pid} is installing or building; waiting for it`),
    prepare,
  );
  return prepared === 0 ? commands[name](args) : prepared;
}

/** Packages and compiled code as this commit has them. */
async function prepare() {
  const installed = await install();
  if (installed !== 0) return installed;
  const { build } = await import('./build.mjs');
  const built = await build();
  if (built !== 0) say('the build failed: see the type errors above');
  return built === 0 ? 0 : 1;
}

async function install() {
  const file = inRoot('node_modules', '.perennial-stamp');
  const stamp = [
    createHash('sha256')
      .update(readFileSync(inRoot('package-lock.json')))
      .digest('hex'),
    process.version,
    process.platform,
    process.arch,
  ].join(' ');
  if (readIfThere(file) === stamp) return 0;
  say('installing packages (npm ci)');
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  // Options that were meant for us and that npm took (a forgotten `--`) would change what the nested npm does.
  const taken = Object.fromEntries(
    ['json', 'exit', 'dry_run', 'loglevel', 'long', 'parseable', 'global'].map((option) => [`npm_config_${option}`, undefined]),
  );
  const code = await run(command, [...first, 'ci', '--loglevel=notice', '--no-audit', '--no-fund'], taken, ['ignore', 2, 2]);
  if (code === 0) writeFileSync(file, stamp);
  else say('`npm ci` failed: see above. Without a network, an npm cache or a registry mirror is needed (npm config set registry …)');
  return code;
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function warnOfLostOptions(name, args) {
  const lost = ['json', 'exit', 'data'].filter((option) => process.env[`npm_config_${option}`] !== undefined && !args.includes(`--${option}`));
  if (lost.length > 0)
    say(
      `npm took ${lost.map((option) => `--${option}`).join(' ')} for itself: write \`npm run ${name} -- ${lost.map((option) => `--${option}`).join(' ')}\``,
    );
}

function jest(args, env = {}) {
  const flags = [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  // Jest leaves one core free, which on two cores is half of them; many of our tests wait for a process anyway.
  const workers = args.some((arg) => /^(-i|-w|--runInBand|--maxWorkers)/.test(arg)) ? [] : [`--maxWorkers=${availableParallelism()}`];
  const command = [inRoot('node_modules/jest/bin/jest.js'), ...workers, ...args];
  return run(process.execPath, command, { ...env, NODE_OPTIONS: flags.filter(Boolean).join(' ') });
}

/** Finds, downloads or builds the Temporal server once, before the tests that need it. */
async function temporalEnvironment() {
  const { settingsOf } = await import('../dist/workers/config.js');
  const { findTemporalCli } = await import('../dist/workers/temporal-cli.js');
  const { temporal } = settingsOf({}, root, process.env);
  try {
    return { TEMPORAL_CLI_PATH: await findTemporalCli({ ...temporal.cli, onProgress: say }) };
  } catch (error) {
    say(`tests that start a Temporal server will fail: ${error.message}`);
    return {};
  }
}

/** Finds or builds the S3 server that tests start, once. */
async function s3Environment() {
  if (process.env.S3_TEST_ENDPOINT !== undefined) return {};
  try {
    const { s3Binary } = await import('../dist/test/support/s3.js');
    return { S3_TEST_BINARY: await s3Binary(say) };
  } catch (error) {
    say(`tests that start an S3 server are skipped: ${error.message}`);
    return {};
  }
}

/** Those who started us: our parent, and npm when that is above the shell that it starts its scripts with. */
function watchOwners() {
  const parent = process.ppid;
  const shell = process.env.npm_lifecycle_event === undefined ? undefined : parentOf(parent);
  const npm = shell !== undefined && /^(sh|dash|bash|zsh)$/.test(shell.command) ? shell.parent : undefined;
  return { gone: () => process.ppid !== parent || (npm !== undefined && parentOf(parent)?.parent !== npm) };
}

function parentOf(pid) {
  try {
    const [, linuxCommand, linuxParent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return { command: linuxCommand, parent: Number(linuxParent) };
  } catch {
    // No /proc here, or no such process any more.
  }
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
  const [, parent, command] = /^\s*(\d+)\s+(?:.*\/)?-?(\S+)\s*$/.exec(stdout ?? '') ?? [];
  return parent === undefined ? undefined : { command, parent: Number(parent) };
}

/**
 * Runs a command on our own terminal, and resolves with its exit code. A terminal's Ctrl-C reaches it by itself; other signals are passed on, and
 * when our parent goes without a word (npm after a SIGTERM), it is asked to end.
 */
function run(command, args, env = {}, stdio = 'inherit') {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } });
    const pass = (signal) => void child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, pass);
    const poll = setInterval(() => owners.gone() && child.kill('SIGTERM'), 500);
    const settle =
      (then) =>
      (...result) => {
        clearInterval(poll);
        for (const signal of signals) process.off(signal, pass);
        then(...result);
      };
    child.once('error', settle(reject));
    child.once(
      'exit',
      settle((code, signal) => resolve(code ?? 128 + constants.signals[signal])),
    );
  });
}
