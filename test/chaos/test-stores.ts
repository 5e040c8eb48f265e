import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TestStore {
  readonly kind: 'folder' | 's3';
  /** What `openStore` takes, in another process too. */
  readonly uri: string;
  /** Kills the store's server with -9 and starts it again a moment later. A folder has none. */
  crash?(): Promise<void>;
  close(): Promise<void>;
}

/** How long a server of the store stays away. */
const awayMs = 500;

/** Empty stores of the kinds that a command line names: `folder`, `s3`, or `both`. */
export async function openTestStores(kinds: string): Promise<readonly TestStore[]> {
  return [...(kinds === 's3' ? [] : [await inFolder()]), ...(kinds === 'folder' ? [] : await onS3())];
}

async function inFolder(): Promise<TestStore> {
  const uri = await mkdtemp(join(tmpdir(), 'perennial-chaos-store-'));
  return { kind: 'folder', uri, close: () => rm(uri, { recursive: true, force: true }) };
}

/** Nothing where there is no server to test with, and says so. */
async function onS3(): Promise<readonly TestStore[]> {
  // Where Jest has set none. The server is our own, and so are they.
  process.env['AWS_ACCESS_KEY_ID'] ??= 'perennial';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'perennial-secret';
  const { hasS3, startTestS3 } = await import('../support/s3.ts');
  if (!hasS3) process.stderr.write('no S3 server can be started here: its store is left out\n');
  if (!hasS3) return [];
  const server = await startTestS3();
  const crash = async (): Promise<void> => {
    await server.kill();
    await sleep(awayMs);
    await server.restart();
  };
  return [{ kind: 's3', uri: server.storeUri(), crash, close: server.close }];
}
