import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestStore {
  readonly kind: 'folder';
  /** What `openStore` takes, in another process too. */
  readonly uri: string;
  close(): Promise<void>;
}

/** Empty stores of the kinds that a command line names. */
export async function openTestStores(_kinds: string): Promise<readonly TestStore[]> {
  const uri = await mkdtemp(join(tmpdir(), 'perennial-chaos-store-'));
  return [{ kind: 'folder', uri, close: () => rm(uri, { recursive: true, force: true }) }];
}
