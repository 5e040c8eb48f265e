import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, chmod, constants, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Agent, fetch } from 'undici';
import { MlError } from '../core/errors.ts';
import { buildGoTool, type GoTool, whichOf } from './go-tool.ts';
import { lock } from '../stores/pid-lock.ts';

export interface TemporalCliOptions {
  /** A `temporal` binary to use and no other. */
  readonly given?: string;
  /** Value of PATH. */
  readonly path: string;
  /** The user's cache folder of Perennial: what is downloaded or built is kept there. */
  readonly cacheFolder: string;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Where the SDK downloads its own server from. */
  readonly downloadFrom?: string;
}

/** The newest CLI that `go install` can build (later ones carry a `replace`), with server 1.29.1. */
const server: GoTool = {
  name: 'the Temporal server',
  binary: 'temporal',
  package: 'github.com/temporalio/cli/cmd/temporal',
  version: 'v1.5.1',
  minutes: 3,
};
/** Older servers lack what we use of search attributes, update-with-start and settings. */
const oldestServer = [1, 29] as const;
/** Where there is no network we want to know it at once, not after the system's two minutes. */
const connectMs = 3000;

/**
 * Path of a `temporal` command-line binary, which has the development server in it: the given one, one on the PATH, the cached one, the SDK's
 * download, or one built with Go; in this order.
 * @throws {MlError} `TemporalUnavailable`, with what was tried and what else one can do.
 */
export async function findTemporalCli(options: TemporalCliOptions): Promise<string> {
  const { given, path, cacheFolder, onProgress = () => {}, signal } = options;
  if (given !== undefined) {
    const problem = await unfit(given);
    if (problem === undefined) return given;
    throw new MlError('TemporalUnavailable', `the given temporal binary ${given} ${problem}: install a newer one or unset TEMPORAL_CLI_PATH`, {
      given,
    });
  }
  const tried: string[] = [];
  const cached = join(cacheFolder, 'temporal-cli', process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  const onPath = await whichOf('temporal', path);
  for (const [where, binary] of [['on the PATH', onPath] as const, ['in the cache', cached] as const]) {
    const problem = binary === undefined ? 'is not there' : await unfit(binary);
    if (problem === undefined && binary !== undefined) return binary;
    tried.push(`${where}: ${binary ?? 'temporal'} ${problem}`);
  }
  const taken = await lock(`${cached}.lock`, (pid) => onProgress(`process ${pid} is fetching the Temporal server; waiting for it`), signal);
  try {
    if ((await unfit(cached)) === undefined) return cached; // By whoever held the lock.
    for (const [name, fetchTo] of [
      ['download', download] as const,
      ['building with Go', (to: string, how: Fetching) => buildGoTool(server, to, how)] as const,
    ]) {
      const folder = await mkdtemp(`${cached}.making-`);
      try {
        const made = await fetchTo(folder, { ...options, onProgress });
        const problem = await unfit(made);
        if (problem !== undefined) throw new Error(`what came ${problem}`);
        await rename(made, cached);
        return cached;
      } catch (error) {
        signal?.throwIfAborted();
        tried.push(`${name}: ${reason(error)}`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  } finally {
    await taken.release();
  }
  throw new MlError('TemporalUnavailable', waysOut(tried, cached), { tried });
}

const waysOut = (tried: readonly string[], cached: string): string =>
  [
    'there is no Temporal server to run. Tried:',
    ...tried.map((line) => `  - ${line}`),
    'Any one of these helps:',
    '  - use a running server: TEMPORAL_ADDRESS=host:port (docker compose up -d starts one)',
    '  - install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH, or say where it is: TEMPORAL_CLI_PATH=/path/to/temporal',
    `  - copy a temporal binary from another machine to ${cached}`,
    '  - install Go 1.24 or newer (https://go.dev/dl): the server is then built once, in about three minutes',
    '  - let this machine reach temporal.download, or a Go module proxy (GOPROXY)',
  ].join('\n');

/** What is wrong with a binary, or `undefined`. */
async function unfit(binary: string): Promise<string | undefined> {
  try {
    await access(binary, constants.X_OK);
    const { stdout } = await promisify(execFile)(binary, ['--version'], { timeout: 20_000 });
    const found = /Server (\d+)\.(\d+)/.exec(stdout);
    if (found === null) return `does not say its server's version (${stdout.trim()})`;
    const [major, minor] = [Number(found[1]), Number(found[2])];
    if (major > oldestServer[0] || (major === oldestServer[0] && minor >= oldestServer[1])) return undefined;
    return `has server ${major}.${minor}, and ${oldestServer.join('.')} is the oldest that works`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : `cannot be run (${reason(error)})`;
  }
}

type Fetching = TemporalCliOptions & { readonly onProgress: (line: string) => void };

/** The same download as the SDK's own test server, but with a short wait for the connection and with progress. */
async function download(folder: string, { onProgress, signal, downloadFrom = 'https://temporal.download' }: Fetching): Promise<string> {
  const dispatcher = new Agent({ connect: { timeout: connectMs } });
  const request = { dispatcher, ...(signal === undefined ? {} : { signal }) };
  try {
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    const query = new URLSearchParams({ platform, arch, format: 'tar.gz', 'sdk-name': 'temporal-typescript', 'sdk-version': '1.24.0' });
    const answer = await fetch(`${downloadFrom}/cli/default?${query}`, request);
    if (!answer.ok) throw new Error(`${downloadFrom} answered ${answer.status}`);
    const { archiveUrl, fileToExtract } = (await answer.json()) as { archiveUrl: string; fileToExtract: string };
    const archive = await fetch(archiveUrl, request);
    if (!archive.ok || archive.body === null) throw new Error(`${archiveUrl} answered ${archive.status}`);
    onProgress(`downloading the Temporal server from ${archiveUrl}`);
    const file = join(folder, 'archive.tar.gz');
    await pipeline(Readable.fromWeb(archive.body), counted(Number(archive.headers.get('content-length')), onProgress), createWriteStream(file));
    await promisify(execFile)('tar', ['-xzf', file, '-C', folder, fileToExtract]);
    const binary = join(folder, fileToExtract);
    await chmod(binary, 0o755);
    return binary;
  } finally {
    await dispatcher.destroy();
  }
}

/** Passes bytes on, and says how far they are at each tenth. */
function counted(total: number, onProgress: (line: string) => void) {
  return async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    let told = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      const tenths = total > 0 ? Math.floor((10 * bytes) / total) : 0;
      if (tenths > told) onProgress(`downloaded ${tenths * 10} % of ${(total / 1e6).toFixed(0)} MB`);
      told = tenths;
      yield chunk;
    }
  };
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
