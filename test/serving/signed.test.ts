import { generateKeyPairSync } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { announce } from '../../registry/changes.ts';
import { openRegistry } from '../../registry/registry.ts';
import { openStoreSigner, requireSignature, signatureKey } from '../../registry/signatures.ts';
import { startPredictionServer, type PredictionServer } from '../../serving/server.ts';
import { signingKey } from '../../signing/keys.ts';
import { blobKey } from '../../stores/blobs.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { byGenre, films, histories } from './films.ts';
import { openShop, type Registered, type Shop } from './shop.ts';

const newKey = (name: string) =>
  signingKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), name);
const ours = newKey('ours');
const theirs = newKey('theirs');
const place = { model: 'recommender', segment: 'all' };

let shop: Shop;
let store: ObjectStore;
let server: PredictionServer;
let first: Registered;

beforeEach(async () => {
  shop = await openShop();
  store = await openStore(join(shop.folder, 'store'));
  server = await startPredictionServer({ ...shop, checkSignature: requireSignature(store, [ours.publicKey]), followEveryMs: 20 });
  first = await register(1);
  await sign(first);
  await shop.promote(place, first.version);
  await until(async () => (await answering()) === first.digest);
});
afterEach(async () => {
  await server.close();
  await shop.close();
});

const register = (strength: number) => shop.register({ ...place, onnx: byGenre(films, strength), items: films, histories });
const sign = ({ digest }: Registered, key = ours) => openStoreSigner(store, shop.blobs, key).package(digest);

function flip(body: Uint8Array, at: number): Uint8Array {
  const flipped = Buffer.from(body);
  flipped[at]! ^= 1;
  return flipped;
}

async function until<T>(look: () => Promise<T | false | undefined>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await sleep(20);
  }
}

interface Health {
  readonly failure?: string;
  readonly slots: readonly {
    readonly digest: string;
    readonly refused?: { readonly version: number; readonly code: string; readonly reason: string };
  }[];
}
const slot = async () => ((await (await fetch(`${server.url}/health`)).json()) as Health).slots[0];
const answering = async () => (await slot())?.digest;
const refusal = (version: number) =>
  until(async () => {
    const { refused } = (await slot())!;
    return refused?.version === version && refused;
  });

describe('a prediction server that is told whom to trust', () => {
  test('serves what is signed, and refuses what is not, or by somebody else; the version before it stays', async () => {
    const unsigned = await register(2);
    await shop.promote(place, unsigned.version);
    expect(await refusal(unsigned.version)).toMatchObject({ code: 'SignatureMissing', reason: expect.stringContaining(ours.publicKey.fingerprint) });
    const foreign = await register(3);
    await sign(foreign, theirs);
    await shop.promote(place, foreign.version);
    expect(await refusal(foreign.version)).toMatchObject({ code: 'SignatureInvalid', reason: expect.stringContaining(theirs.publicKey.fingerprint) });
    expect(await answering()).toBe(first.digest);
    await sign(foreign);
    await shop.promote(place, first.version);
    await shop.promote(place, foreign.version);
    await until(async () => (await answering()) === foreign.digest);
  });

  test('refuses a version by another spec than the signed one', async () => {
    const loggedSpec = { format: 1, name: place.model, target: { user: 'userId', item: 'movieId', relevantFrom: 0 } };
    const next = await shop.register({ ...place, onnx: byGenre(films, 2), items: films, histories, loggedSpec });
    await sign(next);
    await shop.promote(place, next.version);
    const signedSpec = next.manifest.files.find(({ role }) => role === 'spec')!.sha256;
    expect(await refusal(next.version)).toMatchObject({ code: 'PackageInvalid', reason: expect.stringContaining(signedSpec) });
    expect(await answering()).toBe(first.digest);
  });

  test('keeps the old version when one byte is flipped in whatever it reads of the new one', async () => {
    const parts = async ({ digest, manifest, version }: Registered) => {
      const { spec, history } = (await shop.registry.state(place)).versions.find((it) => it.version === version)!;
      const contents = [digest, ...manifest.files.map(({ sha256 }) => sha256), spec.sha256, history!.sha256];
      return [...contents.map(blobKey), signatureKey(digest, ours.publicKey.fingerprint)];
    };
    const next = await register(2);
    await sign(next);
    const shared = new Set(await parts(first));
    const own = (await parts(next)).filter((object) => !shared.has(object));
    expect(own).toHaveLength(4);
    for (const object of own) {
      const path = join(shop.folder, 'store', object);
      const whole = await readFile(path);
      await chmod(path, 0o644);
      await writeFile(path, flip(whole, whole.length >> 1));
      await shop.promote(place, next.version);
      const { reason } = await refusal(next.version);
      expect({ object, named: reason.includes(object) || reason.includes(object.split('/').at(-1)!) }).toEqual({ object, named: true });
      expect(await answering()).toBe(first.digest);
      await writeFile(path, whole);
      await shop.promote(place, first.version);
      await until(async () => (await slot())!.refused === undefined);
    }
    await shop.promote(place, next.version);
    await until(async () => (await answering()) === next.digest);
  });

  test('keeps the old version when a byte of the entry that promotes the new one is flipped', async () => {
    const next = await register(2);
    await sign(next);
    // The store writes another byte than it was given.
    const faulty: ObjectStore = {
      ...store,
      settle: (key, body, call) => store.settle(key, key.startsWith('models/') ? flip(body, body.length - 100) : body, call),
    };
    const promotion = { version: next.version, expect: first.version, verdict: 'better', reason: 'a test says so' } as const;
    const promoting = openRegistry(faulty, shop.blobs).promote(place, promotion, { by: 'test', run: null });
    await expect(promoting).rejects.toMatchObject({ code: 'LogCorrupt' });
    const entry = (await keysOf(store, 'models/')).at(-1)!;
    await announce(store, { ...place, n: 6 }, new Date());
    const { failure } = await until(async () => {
      const health = (await (await fetch(`${server.url}/health`)).json()) as Health;
      return health.failure !== undefined && health;
    });
    expect(failure).toContain(entry);
    expect(await answering()).toBe(first.digest);
  });

  test('leaves word of how far it saw the registry', async () => {
    await until(async () => (await keysOf(store, 'seen/')).includes('seen/recommender/all/000000000003.json' as Key));
  });
});
