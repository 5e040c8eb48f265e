import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MlError } from '../../core/errors.ts';
import type { PythonSettings } from '../../core/train-script.ts';
import { whichOf } from '../go-tool.ts';
import { startWithLifeline } from '../lifeline.ts';
import { lock } from '../../stores/pid-lock.ts';
import { findPython, type Python } from './find-python.ts';

export interface PythonEnvironment {
  readonly executable: string;
  /** What is installed, by name: versions, that of `python` included. */
  readonly packages: Readonly<Record<string, string>>;
}

export interface MakeOptions {
  readonly signal: AbortSignal;
  readonly note: (text: string) => Promise<void>;
}

/** Written last: a folder with it is whole. */
const record = 'environment.json';

/**
 * The environment that a file of locked requirements describes, made on first use and kept in the cache folder. Without requirements it holds nothing but
 * the language. One process makes it, in a folder of another name; others wait.
 *
 * @throws {MlError} `PythonMissing`, `PackagesUnreachable`, `PackagesRefused`
 */
export async function openEnvironment(requirements: string | undefined, settings: PythonSettings, options: MakeOptions): Promise<PythonEnvironment> {
  const python = await findPython(settings.path);
  const text = requirements === undefined ? '' : await readFile(requirements, 'utf8');
  checkLocked(text);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const folder = join(settings.cacheFolder, 'python', `${python.version}-${digest}`);
  if (existsSync(join(folder, record))) return readEnvironment(folder);
  const held = await lock(`${folder}.lock`, (pid) => void options.note(`process ${pid} installs the libraries; waiting for it`), options.signal);
  try {
    if (!existsSync(join(folder, record))) await make(folder, python, text === '' ? undefined : requirements, settings, options);
    return await readEnvironment(folder);
  } finally {
    await held.release();
  }
}

/** Whatever has no hash could be anything. */
function checkLocked(requirements: string): void {
  const lines = requirements.replaceAll(/\\\r?\n/g, ' ').split('\n');
  const loose = lines.find((line) => !/^\s*(#|--|$)/.test(line) && !/==.*--hash=sha256:/.test(line));
  if (loose === undefined) return;
  throw new MlError('PackagesRefused', `the requirements name "${loose.trim()}" without a version or a hash: lock them with \`--generate-hashes\``);
}

const executableIn = (folder: string): string => join(folder, 'bin', 'python');

async function readEnvironment(folder: string): Promise<PythonEnvironment> {
  const packages = JSON.parse(await readFile(join(folder, record), 'utf8')) as Readonly<Record<string, string>>;
  return { executable: executableIn(folder), packages };
}

/** Under the lock. What others of its name left behind was given up by a process that was killed. */
async function make(folder: string, python: Python, requirements: string | undefined, settings: PythonSettings, options: MakeOptions): Promise<void> {
  const making = `${folder}.making-`;
  for (const name of await readdir(dirname(folder))) {
    if (name.startsWith(basename(making)) || name === basename(folder)) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
  const made = await mkdtemp(making);
  try {
    await options.note(`making a Python ${python.version} environment`);
    await createIn(made, python, requirements, settings, options);
    await rename(made, folder);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function createIn(
  made: string,
  python: Python,
  requirements: string | undefined,
  { path }: PythonSettings,
  options: MakeOptions,
): Promise<void> {
  const uv = await whichOf('uv', path);
  const inside = executableIn(made);
  const venv = uv
    ? [uv, 'venv', '--quiet', '--allow-existing', '--python', python.executable, made]
    : [python.executable, '-m', 'venv', ...(requirements === undefined ? ['--without-pip'] : []), made];
  const { code, output } = await command(venv, options);
  if (code !== 0) {
    const cure = 'install python3-venv or uv on this worker';
    throw new MlError('PythonMissing', `Python ${python.version} cannot make an environment: ${cure}; its last words: ${output}`, { output });
  }
  if (requirements !== undefined) {
    const install = uv
      ? [uv, 'pip', 'install', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--python', inside, '-r', requirements]
      : [
          ...[inside, '-m', 'pip', 'install', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--no-input', '--no-compile'],
          ...['--disable-pip-version-check', '--progress-bar', 'off', '--retries', '2', '-r', requirements],
        ];
    const installed = await command(install, options);
    if (installed.code !== 0) throw notInstalled(installed.output);
  }
  const listed = await command([inside, '-I', '-c', listPackages, join(made, record), ...(await namesIn(requirements))], options);
  if (listed.code !== 0) throw new MlError('PackagesRefused', `the new environment does not start: ${listed.output}`);
}

/** Names of the locked libraries: what else is there is how the environment came to be, not what trains. */
async function namesIn(requirements: string | undefined): Promise<readonly string[]> {
  const text = requirements === undefined ? '' : await readFile(requirements, 'utf8');
  return [...text.matchAll(/^([\w.-]+) *==/gm)].map(([, name]) => name!.toLowerCase().replaceAll(/[-_.]+/g, '-'));
}

const listPackages = `
import importlib.metadata, json, platform, re, sys
packages = {re.sub("[-_.]+", "-", each.metadata["Name"]).lower(): each.version for each in importlib.metadata.distributions()}
wanted = {name: packages[name] for name in sorted(packages) if name in sys.argv[2:]}
json.dump({**wanted, "python": platform.python_version()}, open(sys.argv[1], "w"), indent=1)
`;

/** Ends with this process, or on `signal`. */
async function command(
  [program, ...args]: readonly string[],
  { signal, note }: MakeOptions,
): Promise<{ readonly code: number; readonly output: string }> {
  const running = startWithLifeline(program!, args, { graceMs: 200, onLine: (line) => void (line.trim() && note(line.trim())) });
  const abort = (): void => void running.stop();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const code = await running.exited;
  signal.removeEventListener('abort', abort);
  if (signal.aborted) throw new MlError('Cancelled', 'making a Python environment was cancelled');
  return { code, output: running.output().slice(-2000) };
}

/** What pip and uv say when they reach no index. */
const offline = /connection|resolve|timed out|retries|network|dns error|error sending request|failed to fetch|\(from versions: none\)/i;
/** What they say of content that is not what was locked, or not to be had for this machine. */
const unfit = /do not match the hashes|hash mismatch|in --require-hashes mode|no hashes|incompatible|no wheels/i;

function notInstalled(output: string): MlError {
  const [code, what, cure] =
    offline.test(output) && !unfit.test(output)
      ? (['PackagesUnreachable', 'cannot be fetched', 'let the worker reach a package index, or name one in PIP_INDEX_URL and UV_INDEX_URL'] as const)
      : (['PackagesRefused', 'cannot be installed as they are locked', 'lock them again for this platform'] as const);
  return new MlError(code, `the script's libraries ${what}: ${cure}; the last words: ${output}`, { output });
}
