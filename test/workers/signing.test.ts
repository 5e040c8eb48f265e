import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Blobs, openBlobs } from '../../stores/blobs.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { openSignatureCheck, openSigner } from '../../workers/signing.ts';

const pem = (namedCurve: string) =>
  generateKeyPairSync('ec', {
    namedCurve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

let folder: string;
let store: ObjectStore;
let blobs: Blobs;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-worker-signing-'));
  store = await openStore(join(folder, 'store'));
  blobs = await openBlobs(store, join(folder, 'cache'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a worker without a key signs nothing, and a server that is told of nobody checks nothing', async () => {
  for (const config of [undefined, {}]) {
    expect(await openSigner(store, blobs, config)).toBeUndefined();
    expect(await openSignatureCheck(store, config)).toBeUndefined();
  }
});

test('a worker does not start on a key that is missing or is none, and says where it looked, not what it found', async () => {
  const file = join(folder, 'signing.key');
  const open = () => openSigner(store, blobs, { key: { file } });
  await expect(open()).rejects.toMatchObject({ code: 'SecretMissing', message: expect.stringContaining(file) });
  await writeFile(file, 'swordfish');
  await expect(open()).rejects.toMatchObject({ code: 'ConfigInvalid', message: expect.not.stringContaining('swordfish') });
  await writeFile(file, pem('secp256k1').privateKey);
  await expect(open()).rejects.toMatchObject({ code: 'ConfigInvalid', message: expect.stringContaining('secp256k1') });
  await writeFile(file, pem('P-256').privateKey);
  await expect(open()).resolves.toBeDefined();
});

test('a server does not start on a public key that it cannot read, and trusts nobody by an empty list', async () => {
  const trust = [join(folder, 'absent.pub')];
  await expect(openSignatureCheck(store, { trust })).rejects.toMatchObject({ code: 'ConfigInvalid', message: expect.stringContaining(trust[0]!) });
  const check = (await openSignatureCheck(store, { trust: [] }))!;
  const manifest = { format: 1, model: 'm', segment: 'all', files: [] } as unknown as Parameters<typeof check>[1];
  await expect(check('0'.repeat(64), manifest)).rejects.toMatchObject({ code: 'SignatureMissing' });
});
