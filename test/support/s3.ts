import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { settingsOf } from '../../workers/config.ts';
import { cachedGoTool, type GoTool } from '../../workers/go-tool.ts';
import { startWithLifeline } from '../../workers/lifeline.ts';
import { freePort } from '../../workers/ports.ts';

/** A real S3 server of a test's own. */
export interface TestS3 {
  readonly endpoint: string;
  readonly bucket: string;
  /** Files of the server, one for each object; absent where the server is somebody else's. */
  readonly folder?: string;
  /** The URI of an empty store: what `openStore` takes, in another process too. */
  storeUri(): string;
  readonly pid: number | undefined;
  /** Kills the server with -9; `restart` starts it again at the same address, over the same data. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

let stores = 0;

const server: GoTool = {
  name: 'an S3 server for tests',
  binary: 'versitygw',
  package: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
  minutes: 4,
};

/** The server's binary: S3_TEST_BINARY, the one in the cache, or one that is built now. @throws where none can be had. */
export async function s3Binary(onProgress?: (line: string) => void): Promise<string> {
  const given = process.env['S3_TEST_BINARY'];
  if (given !== undefined) return given;
  const { temporal } = settingsOf({}, resolve(import.meta.dirname, '../..'), process.env);
  return cachedGoTool(server, temporal.cli.cacheFolder, { path: process.env['PATH'] ?? '', ...(onProgress && { onProgress }) });
}

/** Whether there is a server to test with; where there is none its tests are skipped, visibly. */
export const hasS3: boolean =
  process.env['S3_TEST_ENDPOINT'] !== undefined ||
  (await s3Binary((line) => process.stderr.write(`${line}\n`)).then(
    () => true,
    () => false,
  ));

/**
 * Starts an S3 server over a temporary folder (below `parent`), or takes the one of S3_TEST_ENDPOINT. Credentials reach the driver where it looks for them, in the
 * environment, which test/support/environment.mjs sets.
 */
export async function startTestS3(parent: string = tmpdir()): Promise<TestS3> {
  const given = process.env['S3_TEST_ENDPOINT'];
  const folder = await mkdtemp(join(parent, 'perennial-s3-'));
  const port = await freePort();
  const endpoint = given ?? `http://127.0.0.1:${port}`;
  const bucket = 'perennial-test';

  async function start() {
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    // Arguments are in every user's list of processes.
    const withKeys = 'ROOT_ACCESS_KEY="$AWS_ACCESS_KEY_ID" ROOT_SECRET_KEY="$AWS_SECRET_ACCESS_KEY" exec "$@"';
    return startWithLifeline('sh', ['-c', withKeys, 'sh', await s3Binary(), '--port', `127.0.0.1:${port}`, '--quiet', 'posix', data]);
  }
  let running = given === undefined ? await start() : undefined;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
  await answers();

  async function answers(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
        return;
      } catch (error) {
        if ((error as Error).name.startsWith('BucketAlready')) return;
        if (tries === 100) throw error;
        await sleep(100);
      }
    }
  }

  return {
    endpoint,
    bucket,
    ...(given === undefined && { folder: join(folder, 'data', bucket) }),
    storeUri: () => `s3://${bucket}/store-${process.pid}-${Date.now().toString(36)}-${stores++}?endpoint=${encodeURIComponent(endpoint)}`,
    get pid() {
      return running?.pid;
    },
    async kill() {
      if (running === undefined) return;
      process.kill(-running.pid, 'SIGKILL');
      await running.exited;
    },
    async restart() {
      running = await start();
      await answers();
    },
    async close() {
      client.destroy();
      await running?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
