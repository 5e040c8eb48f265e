import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { blobKey, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { key } from '../../stores/key.ts';
import { type Key, maxSettleBytes, type ObjectStore } from '../../stores/object-store.ts';
import { keysOf, namesBelow, readObject } from '../../stores/read-object.ts';
import { race, startChild } from './children.ts';
import { createNoise } from './noise.ts';

/** An empty store, of which the suite opens several clients. */
export interface StoreUnderTest {
  /** What `openStore` takes, in another process too. */
  readonly uri: string;
  open(): Promise<ObjectStore>;
  /** Puts other bytes at a key, behind the driver's back. */
  damage(key: Key, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const text = (content: string): Uint8Array => Buffer.from(content);
const byUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What every driver of `ObjectStore` promises. A driver's own test calls it, and adds what only that driver can get wrong. */
export function describeObjectStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`the object store in ${name}`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;
    let folder: string;
    beforeEach(async () => {
      under = await make();
      store = await under.open();
      folder = await mkdtemp(join(tmpdir(), 'perennial-conformance-'));
    });
    afterEach(async () => {
      await under.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function file(bytes: Uint8Array, digest = sha256(bytes)) {
      const path = join(folder, `file-${sha256(bytes).slice(0, 16)}`);
      await writeFile(path, bytes);
      return { path, sha256: digest, bytes: bytes.length };
    }

    describe('settle', () => {
      test('lets one of 32 racing writers win, and tells all of them the same bytes', async () => {
        for (let round = 0; round < 20; round++) {
          const stores = await Promise.all(Array.from({ length: 4 }, () => under.open()));
          const written = Array.from({ length: 32 }, () => randomBytes(100));
          const place = key(`race/${round}.json`);
          const standing = await Promise.all(written.map((body, at) => stores[at % 4]!.settle(place, body)));
          const [winner] = new Set(standing.map(sha256));
          expect(new Set(standing.map(sha256)).size).toBe(1);
          expect(written.map(sha256)).toContain(winner);
          expect(sha256((await readObject(store, place))!)).toBe(winner);
        }
      });

      test('lets one writer of 4 racing processes with 8 each win', async () => {
        const answers = (await race(4, 'settle', under.uri, 'race', 40, 8)) as string[][];
        for (const answer of answers) expect(answer).toEqual(answers[0]);
        const now = await Promise.all(answers[0]!.map(async (_, at) => sha256((await readObject(store, key(`race/${at}.json`)))!)));
        expect(answers[0]).toEqual(now);
      });

      test('is seen at once by every reader and lister', async () => {
        const other = await under.open();
        for (let at = 0; at < 20; at++) {
          const place = key(`seen/${at}`);
          await store.settle(place, text(`${at}`));
          expect(await readObject(other, place)).toEqual(Buffer.from(`${at}`));
          const found = await other.head(place);
          expect(found?.bytes).toBe(`${at}`.length);
          expect(Math.abs(Date.now() - found!.modified.getTime())).toBeLessThan(60_000);
          expect(await keysOf(other, 'seen/')).toContain(place);
        }
      });

      test('returns what stands when somebody was first, empty objects included', async () => {
        await store.settle(key('a'), text('first'));
        expect(Buffer.from(await store.settle(key('a'), text('second'))).toString()).toBe('first');
        await store.settle(key('empty'), text(''));
        expect((await store.settle(key('empty'), text('later'))).length).toBe(0);
        expect(await store.head(key('empty'))).toMatchObject({ bytes: 0 });
      });

      test('takes 8 MiB and refuses a byte more', async () => {
        const body = randomBytes(maxSettleBytes);
        expect((await store.settle(key('large'), body)).length).toBe(maxSettleBytes);
        expect(sha256((await readObject(store, key('large')))!)).toBe(sha256(body));
        await expect(store.settle(key('larger'), Buffer.concat([body, text('1')]))).rejects.toMatchObject({ code: 'ObjectTooLarge' });
        expect(await store.head(key('larger'))).toBeUndefined();
      });
    });

    describe('upload', () => {
      test('is harmless when eight writers race with the same content', async () => {
        const source = await file(randomBytes(3_000_000));
        const place = key(`up/${source.sha256}`);
        await Promise.all(Array.from({ length: 8 }, () => store.upload(place, source)));
        expect(sha256((await readObject(store, place))!)).toBe(source.sha256);
        expect(await keysOf(store, '')).toEqual([place]);
      });

      test('refuses a file that is not what was promised, and leaves nothing', async () => {
        const wrong = await file(randomBytes(1000), 'ab'.repeat(32));
        await expect(store.upload(key('up/wrong'), wrong)).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
        const short = { ...(await file(randomBytes(1000))), bytes: 999 };
        await expect(store.upload(key('up/short'), short)).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
        expect(await keysOf(store, '')).toEqual([]);
      });

      test.each(['altered', 'truncated'])('repairs an object that was %s', async (how) => {
        const content = randomBytes(100_000);
        const source = await file(content);
        const place = key(`up/${source.sha256}`);
        await store.upload(place, source);
        await under.damage(place, how === 'altered' ? randomBytes(100_000) : content.subarray(0, 50_000));
        await store.upload(place, source);
        expect(sha256((await readObject(store, place))!)).toBe(source.sha256);
      });

      test('that was aborted leaves no object, and succeeds when it is tried again', async () => {
        const path = join(folder, 'forty-mb');
        await writeFile(path, createNoise(40));
        const hash = createHash('sha256');
        for (const block of createNoise(40)) hash.update(block);
        const source = { path, sha256: hash.digest('hex'), bytes: 40 << 20 };
        const place = key(`up/${source.sha256}`);
        const abort = new AbortController();
        await expect(store.upload(place, source, { signal: abort.signal, onBytes: () => abort.abort() })).rejects.toMatchObject({
          code: 'Cancelled',
        });
        expect(await store.head(place)).toBeUndefined();
        await store.upload(place, source);
        expect(await store.head(place)).toMatchObject({ bytes: source.bytes });
      });

      test('streams 200 MB up, back and through verification in constant memory', async () => {
        const [grown] = (await race(1, 'stream', under.uri, '', 200)) as [number];
        expect(grown / 1e6).toBeLessThan(60);
      });

      test('leaves whole objects or none when its process is killed with -9 in the middle', async () => {
        for (let round = 0; round < 3; round++) {
          const child = await startChild('writeForever', under.uri, `torn-${round}`, folder);
          let writes = 0;
          const busy = new Promise<void>((resolve) => child.process.on('message', () => ++writes === 12 + 5 * round && resolve()));
          child.process.send('go');
          await busy;
          child.process.kill('SIGKILL');
          await once(child.process, 'exit');
        }
        const keys = await keysOf(store, 'torn-');
        expect(keys.length).toBeGreaterThan(3);
        for (const place of keys) expect(sha256((await readObject(store, place))!)).toBe(place.split('/')[1]);
      });
    });

    describe('read', () => {
      test('begins where it is told', async () => {
        await store.settle(key('a'), text('0123456789'));
        const tail = async (from: number) => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of (await store.read(key('a'), from))!) chunks.push(chunk);
          return Buffer.concat(chunks).toString();
        };
        expect([await tail(0), await tail(7), await tail(10)]).toEqual(['0123456789', '789', '']);
      });

      test('of what is missing, and of what is only a folder, gives nothing', async () => {
        await store.settle(key('folder/object'), text('1'));
        for (const place of [key('absent'), key('absent/too'), key('folder'), key('folder/object/below')]) {
          expect(await store.read(place)).toBeUndefined();
          expect(await store.head(place)).toBeUndefined();
          await store.remove(place);
        }
        expect(await keysOf(store, '')).toEqual(['folder/object']);
      });

      test('stops when it is aborted', async () => {
        await store.settle(key('large'), randomBytes(maxSettleBytes));
        const abort = new AbortController();
        const drain = async () => {
          for await (const _ of (await store.read(key('large'), 0, { signal: abort.signal }))!) abort.abort();
        };
        await expect(drain()).rejects.toMatchObject({ code: 'Cancelled' });
        await expect(store.read(key('large'), 0, { signal: abort.signal })).rejects.toMatchObject({ code: 'Cancelled' });
      });

      test('of a removed object gives nothing, and its key is free again', async () => {
        await store.settle(key('a/b'), text('1'));
        await store.remove(key('a/b'));
        expect(await store.read(key('a/b'))).toBeUndefined();
        expect(Buffer.from(await store.settle(key('a/b'), text('2'))).toString()).toBe('2');
      });
    });

    test.each(['', '/a', 'a/', 'a//b', '../a', 'a/../b', './a', 'A', 'a b', 'a\n', '.unfinished/a', 'é', 'x'.repeat(600)])(
      'refuses the key %j',
      async (bad) => {
        const place = bad as Key;
        for (const call of [store.settle(place, text('1')), store.read(place), store.head(place), store.remove(place)]) {
          await expect(call).rejects.toMatchObject({ code: 'KeyInvalid' });
        }
      },
    );

    describe('list', () => {
      const settleAll = async (keys: readonly string[]): Promise<void> => {
        for (let at = 0; at < keys.length; at += 64) {
          await Promise.all(keys.slice(at, at + 64).map((it) => store.settle(key(it), text(it))));
        }
      };

      test('orders by the bytes of the whole key, not folder by folder', async () => {
        const keys = ['a/x', 'a.json', 'a-b/x', 'a=1', 'a0', 'a_', 'ab', 'a/x.y/z', 'a/x-y/z', 'a/xy', '0', 'z'];
        await settleAll(keys);
        expect(await keysOf(store, '')).toEqual(keys.toSorted(byUtf8));
        expect((await keysOf(store, '')).slice(1, 4)).toEqual(['a-b/x', 'a.json', 'a/x']);
      });

      test('gives thousands of keys in pages, each once, with their sizes', async () => {
        const keys = Array.from({ length: 3000 }, (_, at) => `many/${'ab-.'[at % 4] === '-' ? 'a-b' : `p${at % 7}`}/${(at * 7919) % 3000}.json`);
        await settleAll([...new Set(keys), 'manyfold', 'many-more/1']);
        const expected = [...new Set(keys)].toSorted(byUtf8);
        const paged: string[] = [];
        for (let after: Key | undefined; ;) {
          const page: string[] = [];
          for await (const { key: place, bytes } of store.list('many/', after)) {
            expect(bytes).toBe(place.length);
            page.push((after = place));
            if (page.length === 250) break;
          }
          paged.push(...page);
          if (page.length < 250) break;
        }
        expect(paged).toEqual(expected);
      });

      test('takes a prefix that ends anywhere, and an "after" that need not exist', async () => {
        await settleAll(['run/1/a', 'run/1/b', 'run/10/a', 'run/2/a', 'runs']);
        expect(await keysOf(store, 'run/1')).toEqual(['run/1/a', 'run/1/b', 'run/10/a']);
        expect(await keysOf(store, 'run/1/')).toEqual(['run/1/a', 'run/1/b']);
        expect(await keysOf(store, 'run/', key('run/1/aa'))).toEqual(['run/1/b', 'run/10/a', 'run/2/a']);
        expect(await keysOf(store, 'run/', key('run/2'))).toEqual(['run/2/a']);
        expect(await keysOf(store, 'run/', key('zzz'))).toEqual([]);
        expect(await keysOf(store, 'absent/')).toEqual([]);
        expect(await namesBelow(store, 'run/')).toEqual(['1', '10', '2']);
        await expect(keysOf(store, '../')).rejects.toMatchObject({ code: 'KeyInvalid' });
      });

      test('stops when it is aborted', async () => {
        await settleAll(Array.from({ length: 300 }, (_, at) => `n/${at}/x`));
        const abort = new AbortController();
        const walk = async () => {
          for await (const _ of store.list('n/', undefined, { signal: abort.signal })) abort.abort();
        };
        await expect(walk()).rejects.toMatchObject({ code: 'Cancelled' });
      });
    });

    describe('blobs on it', () => {
      test('are never handed out altered, truncated or empty: the error names the object', async () => {
        const blobs = await openBlobs(store, join(folder, 'cache'));
        for (const [how, damaged] of [
          ['altered', randomBytes(500)],
          ['truncated', randomBytes(10)],
          ['emptied', text('')],
        ] as const) {
          const { sha256: digest } = await blobs.putBytes(text(`${how} `.repeat(100)));
          await under.damage(blobKey(digest), damaged);
          const object = expect.stringContaining(blobKey(digest));
          await expect(blobs.open(digest)).rejects.toMatchObject({ code: 'ArtifactCorrupt', message: object });
          await expect(blobs.readBytes(digest)).rejects.toMatchObject({ code: 'ArtifactCorrupt', message: object });
        }
      });

      test('come back as they were put, by file and by bytes', async () => {
        const blobs = await openBlobs(store, join(folder, 'cache'));
        const content = randomBytes(12_000_000);
        const source = await file(content);
        expect(await blobs.put(source.path)).toEqual({ sha256: source.sha256, bytes: source.bytes });
        expect(await blobs.putBytes(content)).toEqual({ sha256: source.sha256, bytes: source.bytes });
        expect(sha256(await blobs.readBytes(source.sha256))).toBe(source.sha256);
        const absent = 'ab'.repeat(32);
        await expect(blobs.open(absent)).rejects.toMatchObject({ code: 'ArtifactMissing', message: expect.stringContaining(absent) });
      });
    });
  });
}
