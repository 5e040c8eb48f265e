import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openRegistry } from '../../registry/registry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { copyStore } from '../../stores/copy-store.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf, readObject } from '../../stores/read-object.ts';
import { byGenre, films } from '../serving/films.ts';
import { openShop, type Shop } from '../serving/shop.ts';
import { hasS3, startTestS3, type TestS3 } from '../support/s3.ts';

const place = { model: 'recommender', segment: 'all' };

describe('a copy of a store', () => {
  let s3: TestS3 | undefined;
  let shop: Shop;
  let from: ObjectStore;
  let folder: string;
  let copies = 0;
  const copy = (source: ObjectStore, target: ObjectStore) => copyStore(source, target, { scratch: join(folder, `scratch-${copies++}`) });
  const release = (day: string) =>
    shop.release({ model: 'recommender', onnx: byGenre(), items: films, window: { from: '2018-01-01', to: `2018-10-${day}` } });
  const inFolder = (name: string) => openStore(join(folder, name));

  beforeAll(async () => void (s3 = hasS3 ? await startTestS3() : undefined));
  afterAll(() => s3?.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-copy-'));
    shop = await openShop();
    from = await openStore(join(shop.folder, 'store'));
    for (const day of ['01', '02', '03']) await release(day);
    // Larger than a part of an upload.
    const large = join(folder, 'large');
    await writeFile(large, randomBytes(20 << 20));
    await shop.blobs.put(large);
  });
  afterEach(async () => {
    await shop.close();
    await rm(folder, { recursive: true, force: true });
  });

  (hasS3 ? test : test.skip)('from a folder to a bucket and back is the same to the byte, and serves the same champion', async () => {
    const bucket = await openStore(s3!.storeUri());
    const back = await inFolder('back');
    const there = await copy(from, bucket);
    expect(there).toMatchObject({ from: from.uri, to: bucket.uri, already: 0 });
    expect(await copy(bucket, back)).toMatchObject({ objects: there.objects, bytes: there.bytes, already: 0 });
    expect(await contentOf(back)).toEqual(withoutHints(await contentOf(from)));

    const blobs = await openBlobs(bucket, join(folder, 'cache'));
    expect(await openRegistry(bucket, blobs).state(place)).toEqual(await shop.registry.state(place));
    expect((await verify(bucket)).findings).toEqual((await verify(from)).findings);
    // Whoever moved goes on there.
    expect(await copy(from, bucket)).toMatchObject({ objects: 0, bytes: 0, already: there.objects });
  });

  test('takes only what is new when it runs again, and heals content that went bad', async () => {
    const to = await inFolder('to');
    const { objects } = await copy(from, to);
    await release('09');
    const [damaged] = await keysOf(to, 'blobs/');
    execFileSync('sh', ['-c', `chmod u+w "$1" && printf x | dd of="$1" conv=notrunc 2>/dev/null`, 'sh', join(folder, 'to', damaged!)]);
    const again = await copy(from, to);
    expect(again.already).toBe(objects - 1);
    expect(again.objects).toBeGreaterThan(2);
    expect(await contentOf(to)).toEqual(withoutHints(await contentOf(from)));
  });

  test('that is cut anywhere names nothing that is not there, and goes on', async () => {
    const to = await inFolder('to');
    const total = Object.keys(withoutHints(await contentOf(from))).length;
    for (let after = 0; after < total - 1; after++) {
      await expect(copy(from, cutAfter(to, 1))).rejects.toThrow('the network is gone');
      const there = new Set(await keysOf(to, ''));
      expect(there.size).toBe(after + 1);
      for (const entry of there) {
        if (!entry.startsWith('models/')) continue;
        for (const sha256 of named(await readObject(to, entry))) {
          if ((await from.head(blobKey(sha256))) !== undefined) expect(there).toContain(blobKey(sha256));
        }
      }
    }
    expect(await copy(from, to)).toMatchObject({ objects: 1, already: total - 1 });
    expect(await contentOf(to)).toEqual(withoutHints(await contentOf(from)));
  }, 60_000);

  test('of a store that is written to meanwhile leaves out what is younger, whole', async () => {
    const to = await inFolder('to');
    let released = false;
    const busy: ObjectStore = {
      ...from,
      async *list(prefix, ...rest) {
        // Between the listing of the logs and that of the content.
        if (prefix === 'blobs/' && !released) {
          released = true;
          await release('10');
        }
        yield* from.list(prefix, ...rest);
      },
    };
    await copy(busy, to);
    const { versions } = await openRegistry(to, shop.blobs).state(place);
    expect(versions).toHaveLength(3);
    expect((await verify(to)).findings.filter(({ problem }) => problem === 'missing')).toEqual(
      (await verify(from)).findings.filter(({ problem }) => problem === 'missing'),
    );
  });

  test('into a store with a history of its own is refused before anything is written', async () => {
    const to = await inFolder('to');
    const other = openRegistry(to, await openBlobs(to, join(folder, 'cache')));
    await other.apply('recommender', { kind: 'spec', sha256: 'ab'.repeat(32), bytes: 1, mediaType: 'application/json' }, { by: 'test', run: null });
    const before = await contentOf(to);
    const [entry] = await keysOf(to, 'models/');
    await expect(copy(from, to)).rejects.toMatchObject({ code: 'StoreConflict', message: expect.stringContaining(`"${entry}"`) });
    expect(await contentOf(to)).toEqual(before);
  });

  test('of content that is damaged ends with its name, and no log is there yet', async () => {
    const to = await inFolder('to');
    const [damaged] = await keysOf(from, 'blobs/');
    const path = join(shop.folder, 'store', damaged!);
    execFileSync('chmod', ['u+w', path]);
    const bytes = await readFile(path);
    bytes[0]! ^= 1;
    await writeFile(path, bytes);
    await expect(copy(from, to)).rejects.toMatchObject({ code: 'ArtifactCorrupt', message: expect.stringContaining(damaged!) });
    expect(await keysOf(to, 'models/')).toEqual([]);
    expect(await to.head(damaged!)).toBeUndefined();
  });

  test('into a store that alters what it is given is not taken for one', async () => {
    const to = await inFolder('to');
    const altering: ObjectStore = { ...to, settle: (at, body) => to.settle(at, Buffer.concat([body, Buffer.from(' ')])) };
    await expect(copy(from, altering)).rejects.toMatchObject({
      code: 'StoreConflict',
      message: expect.stringMatching(/^"models\/recommender\/all\/log\//),
    });
  });
});

/** SHA-256 by key. */
async function contentOf(store: ObjectStore): Promise<Record<Key, string>> {
  const content: Record<Key, string> = {};
  for (const at of await keysOf(store, '')) {
    content[at] = createHash('sha256')
      .update((await readObject(store, at))!)
      .digest('hex');
  }
  return content;
}

const withoutHints = (content: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(content).filter(([at]) => !/^(changes|index|lineage-feed|probe)\//.test(at)));

const named = (body: Uint8Array | undefined): readonly string[] =>
  Buffer.from(body!)
    .toString()
    .match(/\b[0-9a-f]{64}\b/g) ?? [];

/** Lets so many writes through, and fails on the next ones. */
function cutAfter(store: ObjectStore, writes: number): ObjectStore {
  let left = writes;
  const pass = async <T>(write: () => Promise<T>): Promise<T> => {
    if (left-- <= 0) throw new Error('the network is gone');
    return write();
  };
  return {
    ...store,
    settle: (...given) => pass(() => store.settle(...given)),
    upload: (...given) => pass(() => store.upload(...given)),
  };
}
