import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../client/client.ts';
import type { EncryptionConfig } from '../../core/config.ts';
import { openCipher } from '../../stores/cipher.ts';
import { readSecret } from '../../workers/config.ts';
import type { Reproduced } from '../../workers/reproduce.ts';
import { perennial } from '../cli/command.ts';
import { recommender, startSystem } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
let keys: string;
let pack: string;

const file = (name: string) => ({ file: join(keys, name) });

/** A version whose run was encrypted with a key that has been changed since; of its caches and sources nothing is left. */
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), 'perennial-keys-'));
  for (const name of ['first', 'second', 'other']) await writeFile(join(keys, name), randomBytes(32).toString('base64'));
  const encryption = { current: 'k1', keys: { k1: file('first') } };
  system = await startSystem({ worker: { security: { encryption } } });
  const client = await connect({ address: system.temporal.address, cipher: await openCipher(encryption, readSecret) });
  const run = await client.train(recommender('films'));
  expect(await run.result()).toMatchObject({ outcome: 'promoted' });
  await client.close();
  await system.worker.stop();
  for (const cache of ['work', 'blobs', 'data']) await rm(join(system.folder, cache), { recursive: true, force: true });
  const { versions } = await system.registry.state({ model: 'films', segment: 'all' });
  pack = versions[0]!.package.sha256;
}, 180_000);
afterAll(async () => {
  await system?.close();
  await rm(keys, { recursive: true, force: true });
});

/** The command in a clean place that has nothing but these keys and the way to the store. */
async function withKeys(encryption: EncryptionConfig | undefined, ...args: readonly string[]) {
  const place = await mkdtemp(join(tmpdir(), 'perennial-clean-'));
  try {
    await writeFile(join(place, 'perennial.config.mjs'), `export default ${JSON.stringify({ ...(encryption && { encryption }) })};`);
    const env = { PERENNIAL_STORE: system.storeUri };
    return await perennial({ project: place, home: place, env }, ...args, '--json');
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

test('a version whose run was encrypted is made again, byte for byte, where its key is, though another encrypts today', async () => {
  const { code, stdout } = await withKeys({ current: 'k2', keys: { k2: file('second'), k1: file('first') } }, 'reproduce', 'films@1');
  const found = JSON.parse(stdout) as Reproduced;
  expect({ code, ...found }).toMatchObject({ code: 0, identical: true, difference: null, package: { expected: pack, found: pack } });
  expect(found.steps.map(({ step }) => step)).toContain('trainModel');
}, 120_000);

test.each([
  ['nothing is encrypted', undefined, 'EncryptionKeyUnknown'],
  ['its key is missing', { current: 'k2', keys: { k2: 'second' } }, 'EncryptionKeyUnknown'],
  ['its id names another key', { current: 'k1', keys: { k1: 'other' } }, 'DecryptionFailed'],
  ['its key cannot be read', { current: 'k1', keys: { k1: 'gone' } }, 'SecretMissing'],
] as const)(
  'where %s, that is said, with its code',
  async (_, encryption, error) => {
    const named = encryption && { ...encryption, keys: Object.fromEntries(Object.entries(encryption.keys).map(([id, name]) => [id, file(name)])) };
    const { code, stdout, stderr } = await withKeys(named, 'reproduce', 'films@1');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, error: { code: error } });
    expect(stderr).toContain(`[${error}]`);
  },
  60_000,
);

test('prune, which keeps what only histories name, refuses to go on where every key was forgotten, and says which one of them is missing', async () => {
  const prune = ['prune', '--older-than', '2d'];
  const { code, stdout } = await withKeys(undefined, ...prune);
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, error: { code: 'EncryptionKeyUnknown', facts: { keyId: 'k1' } } });
  expect(await withKeys({ current: 'k1', keys: { k1: file('first') } }, ...prune)).toMatchObject({ code: 0 });
}, 60_000);
