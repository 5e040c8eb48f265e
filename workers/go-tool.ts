import { access, constants, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { startWithLifeline } from './lifeline.ts';
import { lock } from '../stores/pid-lock.ts';

/** A program that is built from source once, where no finished one is to be had. */
export interface GoTool {
  /** As people call it: "the Temporal server". */
  readonly name: string;
  readonly binary: string;
  readonly package: string;
  readonly version: string;
  readonly minutes: number;
}

export interface BuildOptions {
  /** Value of PATH. */
  readonly path: string;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const tellEveryMs = 10_000;

/** Builds a tool into `folder` and returns its path. What it starts dies with this process. */
export async function buildGoTool(tool: GoTool, folder: string, { path, onProgress = () => {}, signal }: BuildOptions): Promise<string> {
  const go = (await whichOf('go', path)) ?? (await whichOf('go', '/usr/local/go/bin'));
  if (go === undefined) throw new Error('there is no `go` on the PATH');
  onProgress(`building ${tool.name} ${tool.version} with Go, once; this takes about ${tool.minutes} minutes`);
  const began = performance.now();
  let packages = 0;
  // `-v` names each package as it is compiled, which is all the progress that Go tells.
  const settings = [`GOBIN=${folder}`, 'CGO_ENABLED=0', 'GOOS=', 'GOARCH='];
  const args = ['install', '-v', '-trimpath', '-ldflags', '-s -w', `${tool.package}@${tool.version}`];
  const building = startWithLifeline('env', [...settings, go, ...args], { cwd: dirname(folder), onLine: () => void packages++ });
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0);
  const telling = setInterval(() => onProgress(`building ${tool.name}: ${packages} packages, ${seconds()} s`), tellEveryMs);
  const abort = (): void => void building.stop();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const code = await building.exited;
    if (code !== 0) throw new Error(`go ended with exit code ${code}: ${building.output().split('\n').slice(-5).join('; ')}`);
    onProgress(`built ${tool.name} in ${seconds()} s`);
    return join(folder, tool.binary);
  } finally {
    clearInterval(telling);
    signal?.removeEventListener('abort', abort);
  }
}

/** The tool in a cache folder, built there under one lock if it is not. */
export async function cachedGoTool(tool: GoTool, cacheFolder: string, options: BuildOptions): Promise<string> {
  const cached = join(cacheFolder, 'tools', `${tool.binary}-${tool.version}`);
  if (await isExecutable(cached)) return cached;
  const { onProgress = () => {}, signal } = options;
  const taken = await lock(`${cached}.lock`, (pid) => onProgress(`process ${pid} is building ${tool.name}; waiting for it`), signal);
  try {
    if (await isExecutable(cached)) return cached; // By whoever held the lock.
    const folder = await mkdtemp(`${cached}.making-`);
    try {
      await rename(await buildGoTool(tool, folder, options), cached);
      return cached;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } finally {
    await taken.release();
  }
}

export async function whichOf(command: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((each) => each !== '')) {
    const file = join(folder, command);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

const isExecutable = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
