import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Provenance } from '../../core/artifact.ts';
import { openRegistry } from '../../registry/registry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf, readObject } from '../../stores/read-object.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { hasSmallDisks, mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { hasS3, startTestS3, type TestS3 } from '../support/s3.ts';

const part = 8 << 20;
const author = { by: 'test', run: { workflowId: 'train/films/all', runId: 'run-1' } };
const by = { ...author.run, workflowType: 'train' };
const provenance = (step: string): Provenance => ({ step, code: 'c0de', inputs: {}, parameters: {}, environment: {} });

/** So many attempts of each request fail, and the next one does not. */
const passing: readonly [string, number, Fault][] = [
  ['a delay', 2, { kind: 'late', ms: 50 }],
  ['500 InternalError', 2, { kind: 'refused', status: 500, code: 'InternalError' }],
  // The back-off of a throttled request is long.
  ['503 SlowDown', 1, { kind: 'refused', status: 503, code: 'SlowDown' }],
  ['an answer that is lost after the server did it', 2, { kind: 'answer lost' }],
  ['an answer that is cut', 2, { kind: 'cut read', share: 0.5 }],
];
const named = (fault: Fault): [string, Fault] => [fault.kind, fault];

(hasS3 ? describe : describe.skip)('a store in a bucket behind a network that fails', () => {
  let s3: TestS3;
  let proxy: FaultProxy;
  let folder: string;
  /** Through the proxy, and past it. */
  let store: ObjectStore;
  let direct: ObjectStore;
  beforeAll(async () => {
    s3 = await startTestS3();
    proxy = await startFaultProxy(s3.endpoint);
  });
  afterAll(async () => {
    await proxy.close();
    await s3.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-faults-'));
    proxy.heal();
    const uri = s3.storeUri();
    direct = await openStore(uri);
    store = await openStore(uri.replace(encodeURIComponent(s3.endpoint), encodeURIComponent(proxy.endpoint)));
  });
  afterEach(async () => {
    proxy.heal();
    await rm(folder, { recursive: true, force: true });
  });

  async function file(name: string, bytes: Uint8Array) {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return { path, sha256: sha256(bytes), bytes: bytes.length };
  }

  test.each(passing)(
    'keeps every promise through %s on each request, %s times',
    async (_, times, fault) => {
      const content = randomBytes(1000);
      const { path } = await file('content', content);
      proxy.inject(fault, times);
      const blobs = await openBlobs(store, join(folder, 'cache'));
      const artifacts = openArtifactStore(store, blobs);
      const registry = openRegistry(store, blobs);

      const artifact = await artifacts.commit('rows', provenance('build'), path, { mediaType: 'text/plain', by });
      expect(await artifacts.find('rows', provenance('build'))).toEqual(artifact);
      expect(await readFile(await blobs.open(artifact.sha256))).toEqual(content);
      const spec = { kind: 'spec', ...(await blobs.putBytes(Buffer.from('{}'))), mediaType: 'application/json' } as const;
      for (let twice = 0; twice < 2; twice++) await registry.apply('films', spec, author);
      expect(await registry.entries({ model: 'films', segment: 'all' })).toHaveLength(1);
      const place = key('checkpoints/a');
      expect(await store.settle(place, Buffer.from('first'))).toEqual(Buffer.from('first'));
      expect(Buffer.from(await store.settle(place, Buffer.from('second'))).toString()).toBe('first');
      expect(await store.head(place)).toMatchObject({ bytes: 5 });
      expect(await keysOf(store, 'checkpoints/')).toEqual([place]);
      await store.remove(place);
      expect(await direct.head(place)).toBeUndefined();

      expect(proxy.injected).toBeGreaterThan(10 * times * (fault.kind === 'cut read' ? 0.3 : 1));
      expect((await verify(direct)).findings).toEqual([]);
      expect((await keysOf(direct, 'made/')).length).toBe(1);
    },
    120_000,
  );

  test('a settled write whose answer was lost is known as ours, not as another one that was first', async () => {
    const body = Buffer.from('ours');
    proxy.inject({ kind: 'answer lost' }, 1, ({ method }) => method === 'PUT');
    expect(await store.settle(key('a/b'), body)).toEqual(body);
    // The second attempt met a 412, which the first one had caused.
    expect(proxy.passed.filter(({ method }) => method === 'PUT')).toHaveLength(2);
    expect(await readObject(direct, key('a/b'))).toEqual(body);
  });

  test('a conditional write that collides with another one (409) is tried again', async () => {
    proxy.inject({ kind: 'refused', status: 409, code: 'ConditionalRequestConflict' }, 3);
    expect(await store.settle(key('a/b'), Buffer.from('1'))).toEqual(Buffer.from('1'));
    expect(proxy.injected).toBe(3);
  });

  test('bytes that flip on their way to the server are refused there, and nothing stands', async () => {
    proxy.inject({ kind: 'flipped upload' }, 100, ({ method }) => method === 'PUT');
    const content = await file('content', randomBytes(1000));
    const large = await file('large', randomBytes(2 * part));
    const refused = (object: string) => ({ code: 'StoreUnavailable', retry: true, message: expect.stringContaining(`"${object}"`) });
    await expect(store.settle(key('a/b'), Buffer.from('1'))).rejects.toMatchObject(refused('a/b'));
    await expect(store.upload(blobKey(content.sha256), content)).rejects.toMatchObject(refused(blobKey(content.sha256)));
    await expect(store.upload(blobKey(large.sha256), large)).rejects.toMatchObject(refused(blobKey(large.sha256)));
    expect(await keysOf(direct, '')).toEqual([]);
  }, 60_000);

  test('what went bad on the server is not taken for whole because its repair fails', async () => {
    const large = await file('large', randomBytes(2 * part));
    const place = blobKey(large.sha256);
    await store.upload(place, large);
    // As a disk does it: other bytes, the same length, and what the server says of them.
    const [object] = await readdir(join(s3.folder!, '..'), { recursive: true }).then((all) => all.filter((each) => each.endsWith(large.sha256)));
    const path = join(s3.folder!, '..', object!);
    const whole = await readFile(path);
    whole[part]! ^= 1;
    await writeFile(path, whole);
    proxy.inject({ kind: 'refused', status: 500, code: 'InternalError' }, 1000, ({ method }) => method === 'PUT');
    await expect(store.upload(place, large)).rejects.toMatchObject({ code: 'StoreUnavailable' });
    proxy.heal();
    await store.upload(place, large);
    expect(sha256((await readObject(direct, place))!)).toBe(large.sha256);
  }, 90_000);

  test('a connection that is cut within an upload costs that part again, and no other; nothing is visible before the last', async () => {
    const large = await file('large', randomBytes(4 * part + 5));
    const place = blobKey(large.sha256);
    const third = ({ method, query }: { method: string; query: URLSearchParams }) => method === 'PUT' && query.get('partNumber') === '3';
    proxy.inject({ kind: 'cut upload' }, 2, third);
    await store.upload(place, large);
    expect(proxy.injected).toBe(2);
    expect(partsPassed(proxy, place)).toEqual([1, 2, 3, 4, 5]);
    expect((await verify(direct)).findings).toEqual([]);
    expect(sha256((await readObject(direct, place))!)).toBe(large.sha256);
  }, 60_000);

  test('an upload that broke off is gone on with, from the parts that arrived', async () => {
    const large = await file('large', randomBytes(4 * part + 5));
    const place = blobKey(large.sha256);
    const stop = new AbortController();
    proxy.inject({ kind: 'cut upload' }, 100, ({ query }) => {
      if (query.get('partNumber') !== '4') return false;
      stop.abort();
      return true;
    });
    await expect(store.upload(place, large, { signal: stop.signal })).rejects.toMatchObject({
      code: 'Cancelled',
      message: expect.stringContaining(place),
    });
    expect(await direct.head(place)).toBeUndefined();
    expect(await keysOf(direct, '')).toEqual([]);
    const arrived = partsPassed(proxy, place);
    proxy.heal();
    await store.upload(place, large);
    const again = partsPassed(proxy, place);
    expect(arrived.length).toBeGreaterThan(0);
    expect(again).toContain(4);
    expect(again.filter((number) => arrived.includes(number))).toEqual([]);
    expect(sha256((await readObject(direct, place))!)).toBe(large.sha256);
  }, 60_000);

  test('an upload whose last answer was lost is whole, and is not begun again', async () => {
    const large = await file('large', randomBytes(part + 5));
    proxy.inject({ kind: 'answer lost' }, 2, ({ method, query }) => method === 'POST' && query.has('uploadId'));
    const place = blobKey(large.sha256);
    await store.upload(place, large);
    expect(partsPassed(proxy, place)).toEqual([1, 2]);
    expect(sha256((await readObject(direct, place))!)).toBe(large.sha256);
  }, 60_000);

  test('a read that is cut goes on where it was: each byte once', async () => {
    const content = await file('content', randomBytes(3 << 20));
    await direct.upload(blobKey(content.sha256), content);
    proxy.inject({ kind: 'cut read', share: 0.5 }, 3);
    const blobs = await openBlobs(store, join(folder, 'cache'));
    expect(sha256(await blobs.readBytes(content.sha256))).toBe(content.sha256);
    expect(proxy.injected).toBe(3);
  }, 60_000);

  const lying: readonly Fault[] = [
    { kind: 'short read', share: 0.9 },
    { kind: 'flipped byte', share: 0.4 },
  ];
  const reads = ({ method, query }: { method: string; query: URLSearchParams }) => method === 'GET' && !query.has('list-type');

  test.each(lying.map(named))('content with a %s is never used: its name is told, and no file is left', async (_, fault) => {
    const content = await file('content', randomBytes(100_000));
    await direct.upload(blobKey(content.sha256), content);
    const blobs = await openBlobs(store, join(folder, 'cache'));
    proxy.inject(fault, 1, reads);
    const failed = { code: 'ArtifactCorrupt', message: expect.stringContaining(blobKey(content.sha256)) };
    await expect(blobs.open(content.sha256)).rejects.toMatchObject(failed);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
    // It was the network, not the store.
    expect(sha256(await blobs.readBytes(content.sha256))).toBe(content.sha256);
  });

  test.each(lying.map(named))('an entry of the registry with a %s is never believed, and nothing is appended to it', async (_, fault) => {
    const blobs = await openBlobs(direct, join(folder, 'cache'));
    const spec = { kind: 'spec', ...(await blobs.putBytes(Buffer.from('{}'))), mediaType: 'application/json' } as const;
    await openRegistry(direct, blobs).apply('films', spec, author);
    const [entry] = await keysOf(direct, 'models/');
    const registry = openRegistry(store, blobs);
    proxy.inject(fault, 1, reads);
    const failed = { code: 'LogCorrupt', message: expect.stringContaining(entry!) };
    await expect(registry.apply('films', { ...spec, sha256: sha256('other') }, author)).rejects.toMatchObject(failed);
    expect(await keysOf(direct, 'models/')).toEqual([entry]);
    await registry.apply('films', spec, author);
    expect(await keysOf(direct, 'models/')).toEqual([entry]);
  });

  test.each(lying.map(named))(
    'a record of the cache with a %s is forgotten: the step is made again, and neither record is lost',
    async (_, fault) => {
      const facts = { mediaType: 'text/plain', by };
      const { path } = await file('content', randomBytes(1000));
      const made = openArtifactStore(direct, await openBlobs(direct, join(folder, 'cache')));
      const first = await made.commit('rows', provenance('build'), path, facts);
      const artifacts = openArtifactStore(store, await openBlobs(store, join(folder, 'other-cache')));
      proxy.inject(fault, 1, reads);
      expect(await artifacts.find('rows', provenance('build'))).toBeUndefined();
      expect(await artifacts.commit('rows', provenance('build'), path, facts)).toEqual(first);
      expect((await verify(direct)).findings).toEqual([]);
    },
  );

  test('that stays away is StoreUnavailable, which names the object', async () => {
    proxy.inject({ kind: 'refused', status: 500, code: 'InternalError' }, 1000);
    const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['a/b', () => store.settle(key('a/b'), Buffer.from('1'))],
      ['a/c', () => readObject(store, key('a/c'))],
      ['a/', () => keysOf(store, 'a/')],
    ];
    await Promise.all(
      asked.map(([object, work]) =>
        expect(work()).rejects.toMatchObject({ code: 'StoreUnavailable', retry: true, message: expect.stringContaining(`"${object}"`) }),
      ),
    );
    proxy.heal();
    expect(await keysOf(direct, '')).toEqual([]);
  }, 180_000);

  test('that is full is StoreFull, names the object, and has no part of it', async () => {
    const { path } = await file('content', randomBytes(1000));
    const artifacts = openArtifactStore(store, await openBlobs(store, join(folder, 'cache')));
    proxy.inject({ kind: 'refused', status: 507, code: 'XMinioStorageFull' }, 1000, ({ method }) => method === 'PUT');
    const full = { code: 'StoreFull', retry: true, message: expect.stringContaining(blobKey(sha256(await readFile(path)))) };
    await expect(artifacts.commit('rows', provenance('build'), path, { mediaType: 'text/plain', by })).rejects.toMatchObject(full);
    expect(await keysOf(direct, '')).toEqual([]);
  }, 180_000);
});

const ownServer = hasS3 && process.env['S3_TEST_ENDPOINT'] === undefined;
(ownServer && hasSmallDisks ? describe : describe.skip)('a bucket whose disk really is full', () => {
  let s3: TestS3;
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = mountSmallDisk('12m');
    s3 = await startTestS3(disk.folder);
  });
  afterAll(async () => {
    await s3.close();
    disk.unmount();
  });

  test('takes whole objects or none, says StoreFull with the name, and goes on once there is space', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-full-bucket-'));
    try {
      const store = await openStore(s3.storeUri());
      const ballast = key('ballast/sha256');
      const content = async (bytes: Uint8Array) => {
        const path = join(folder, 'content');
        await writeFile(path, bytes);
        return { path, sha256: sha256(bytes), bytes: bytes.length };
      };
      await store.upload(ballast, await content(randomBytes(6 << 20)));
      const large = await content(randomBytes(2 * part));
      const full = (object: string) => ({ code: 'StoreFull', retry: true, message: expect.stringContaining(`"${object}"`) });
      await expect(store.upload(blobKey(large.sha256), large)).rejects.toMatchObject(full(blobKey(large.sha256)));
      await expect(store.settle(key('a/b'), randomBytes(part))).rejects.toMatchObject(full('a/b'));
      expect(await keysOf(store, '')).toEqual([ballast]);
      await store.remove(ballast);
      const body = randomBytes(3 << 20);
      expect(await store.settle(key('a/b'), body)).toEqual(body);
      expect(await readObject(store, key('a/b'))).toEqual(body);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

/** Numbers of an object's parts that the server got, in their order. */
const partsPassed = ({ passed }: FaultProxy, place: string): readonly number[] =>
  passed
    .flatMap(({ method, path, query }) =>
      method === 'PUT' && path.endsWith(place) && query.has('partNumber') ? [Number(query.get('partNumber'))] : [],
    )
    .sort((a, b) => a - b);
