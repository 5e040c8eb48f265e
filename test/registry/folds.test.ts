import { mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { entriesPerFold, foldKey, foldOf, unfold } from '../../registry/folds.ts';
import { heightsOf } from '../../registry/heights.ts';
import { type Link, openLog } from '../../registry/log.ts';
import { sha256 } from '../../stores/digest.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf, readObject, readObjects } from '../../stores/read-object.ts';
import { seal, unseal } from '../../stores/sealed.ts';
import { race } from '../conformance/children.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';
import { hasS3, startTestS3, type TestS3 } from '../support/s3.ts';

type Note = Link & { readonly told: number };

const log = 'models/m/month=10/log';
const fold = (end: number): string => `folded/m/month=10/${String(end).padStart(12, '0')}.jsonl`;
const open = (store: ObjectStore) => openLog<Note>(store, log);
const note = (entries: readonly Note[]) => ({ told: entries.length });
const told = (entries: readonly Note[]) => entries.map((entry) => entry.told);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);

async function fill(store: ObjectStore, count: number): Promise<void> {
  const writer = open(store);
  while ((await writer.append(note))!.n < count);
}

let warnings: string[];
beforeEach(() => {
  warnings = [];
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
});
afterEach(() => void jest.restoreAllMocks());

const drivers: [name: string, storeUri: () => Promise<string>][] = [['a folder', async () => mkdtemp(join(tmpdir(), 'perennial-folds-'))]];
let s3: TestS3 | undefined;
if (hasS3) {
  beforeAll(async () => void (s3 = await startTestS3()));
  afterAll(() => s3?.close());
  drivers.push(['a bucket', async () => s3!.storeUri()]);
}

describe.each(drivers)('the folds of a log in %s', (name, storeUri) => {
  let uri: string;
  let store: ObjectStore;
  beforeEach(async () => {
    uri = await storeUri();
    store = await openStore(uri);
  });
  afterEach(async () => {
    if (name === 'a folder') await rm(uri, { recursive: true });
  });

  test('are written with every 64th entry, hold its entries to the byte, and are what a reader starts from', async () => {
    await fill(store, 130);
    expect(await keysOf(store, 'folded/')).toEqual([fold(64), fold(128)]);
    const bodies = (await readObjects(store, await keysOf(store, `${log}/`))) as Uint8Array[];
    expect(Buffer.from((await readObject(store, key(fold(64))))!)).toEqual(foldOf(bodies.slice(0, 64)));
    const read: string[] = [];
    const entries = await open({ ...store, read: (place, ...more) => (read.push(place), store.read(place, ...more)) }).read();
    expect(told(entries)).toEqual(upTo(130));
    expect(read.toSorted()).toEqual([fold(64), fold(128), `${log}/000000000129.json`, `${log}/000000000130.json`]);
    expect(warnings).toEqual([]);
  });

  test('are written by the next writer where the last one died before it could, or an older release wrote the log', async () => {
    await fill(store, 130);
    for (const place of await keysOf(store, 'folded/')) await store.remove(place);
    expect(told(await open(store).read())).toEqual(upTo(130));
    await open(store).append(note);
    expect(await keysOf(store, 'folded/')).toEqual([fold(64), fold(128)]);
    expect(warnings).toEqual([]);
  });

  test('stand once, whole, after four processes raced to append', async () => {
    await race(4, 'append', store.uri, log, 40);
    expect(await keysOf(store, 'folded/')).toEqual([fold(64), fold(128)]);
    expect(told(await open(store).read())).toEqual(upTo(160));
    expect(warnings).toEqual([]);
  });
});

describe('a fold', () => {
  const folded = (store: { readonly objects: Map<string, Buffer> }, end: number): Buffer => store.objects.get(fold(end))!;
  const resealed = (body: Uint8Array, change: object): Uint8Array => seal({ ...unseal<Note>(body), ...change });

  /** The lie of one who knows how folds are made: another entry, with all that follow chained to it. */
  function forge(lines: readonly Uint8Array[]): readonly Uint8Array[] {
    const forged: Uint8Array[] = [];
    for (const [at, line] of lines.entries()) forged.push(resealed(line, at === 0 ? { told: 1000 } : { previous: sha256(forged[at - 1]!) }));
    return forged;
  }

  test.each<[string, (body: Buffer, other: Buffer) => Uint8Array]>([
    ['has an altered byte', (body) => body.fill(body[999]! ^ 1, 999, 1000)],
    ['was cut off', (body) => body.subarray(0, -1)],
    ['is empty', () => Buffer.alloc(0)],
    ['has a line too many', (body) => Buffer.concat([body, Buffer.from('{}\n')])],
    ['belongs elsewhere', (_, other) => other],
    ['lies with seals and a chain of its own', (body) => foldOf(forge(unfold(body)))],
  ])('that %s is left aside with a warning, and mended by the next writer', async (_, damage) => {
    const store = createStoreInMemory();
    await fill(store, 200);
    const right = Buffer.from(folded(store, 128));
    store.objects.set(fold(128), Buffer.from(damage(Buffer.from(right), folded(store, 64))));
    expect(told(await open(store).read())).toEqual(upTo(200));
    expect(warnings).toEqual([expect.stringContaining(fold(128))]);
    await open(store).append(note);
    expect(folded(store, 128)).toEqual(right);
    warnings.length = 0;
    expect(told(await open(store).read())).toEqual(upTo(201));
    expect(warnings).toEqual([]);
  });

  test('hides nothing: an altered entry that follows it is named, and the log is read and found whole before', async () => {
    const store = createStoreInMemory();
    await fill(store, 70);
    const place = `${log}/000000000065.json`;
    store.objects.set(place, Buffer.from(resealed(store.objects.get(place)!, { previous: sha256('another') })));
    await expect(open(store).read()).rejects.toMatchObject({ code: 'LogCorrupt', facts: { entry: place } });
    store.objects.set(place, Buffer.from('torn'));
    await expect(open(store).read()).rejects.toMatchObject({ code: 'LogCorrupt', facts: { entry: place } });
  });

  test('that cannot be read or written costs a warning, and no entry', async () => {
    const store = createStoreInMemory((what, place) => {
      if (place.startsWith('folded/')) throw new Error(`no ${what} here`);
    });
    await fill(store, 66);
    expect(warnings).toEqual([expect.stringContaining('no settle here')]);
    expect(told(await open(store).read())).toEqual(upTo(66));
    expect(warnings).toEqual([expect.anything(), expect.stringContaining('no read here')]);
  });

  test('that is a symbolic link is not followed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-folds-'));
    const store = await openFolderStore(folder);
    await fill(store, 66);
    const path = join(folder, fold(64));
    const elsewhere = join(folder, 'elsewhere');
    await rename(path, elsewhere);
    await symlink(elsewhere, path);
    expect(told(await open(store).read())).toEqual(upTo(66));
    expect(warnings).toEqual([expect.stringContaining('symbolic link')]);
    await rm(folder, { recursive: true });
  });

  test('is not read by who knows some of its entries, nor before an entry follows it', async () => {
    const read: string[] = [];
    const store = createStoreInMemory((what, place) => void (what === 'read' && read.push(place)));
    await fill(store, 128);
    read.length = 0;
    expect(told(await open(store).after(100))).toEqual(upTo(128).slice(100));
    expect(read.filter((place) => place.startsWith('folded/'))).toEqual([]);
    expect(told(await open(store).after(64))).toEqual(upTo(128).slice(64));
    expect(read.filter((place) => place.startsWith('folded/'))).toEqual([]);
    await open(store).append(note);
    expect(told(await open(store).after(64))).toEqual(upTo(129).slice(64));
    expect(read.at(-2)).toBe(fold(128));
  });

  test('lets a log of a thousand entries be opened by 55 reads', async () => {
    const read: string[] = [];
    const store = createStoreInMemory((what, place) => void (what === 'read' && read.push(place)));
    await fill(store, 1000);
    read.length = 0;
    expect(told(await open(store).read())).toEqual(upTo(1000));
    expect(read).toHaveLength(Math.floor(1000 / entriesPerFold) + (1000 % entriesPerFold));
  });

  test('has a key wherever its log has one', () => {
    const [model, segment] = ['m'.repeat(235), 's'.repeat(247)];
    expect(() => key(`models/${model}/${segment}/log/000000000064.json`)).not.toThrow();
    expect(() => foldKey(`models/${model}/${segment}/log`, 64)).not.toThrow();
  });
});

describe('the heights of all logs', () => {
  const grow = async (store: ReturnType<typeof createStoreInMemory>, place: string, from: number, to: number) => {
    for (let n = from; n <= to; n++) await store.settle(key(`models/${place}/log/${String(n).padStart(12, '0')}.json`), Buffer.from('{}'));
  };

  /** As `heightsOf`, with the number of keys that were listed for it. */
  async function listed(store: ObjectStore, known: Awaited<ReturnType<typeof heightsOf>>) {
    let keys = 0;
    const counting: ObjectStore = {
      ...store,
      async *list(...input) {
        for await (const found of store.list(...input)) {
          keys++;
          yield found;
        }
      },
    };
    const heights = await heightsOf(counting, known);
    return { heights, keys };
  }

  test('are listed from what is known on, where a log is long', async () => {
    const store = createStoreInMemory();
    await grow(store, 'a/all', 1, 3);
    await grow(store, 'b/all', 1, 4000);
    await grow(store, 'c/all', 1, 2);
    const first = await listed(store, []);
    expect(first).toEqual({
      heights: [
        { model: 'a', segment: 'all', n: 3 },
        { model: 'b', segment: 'all', n: 4000 },
        { model: 'c', segment: 'all', n: 2 },
      ],
      keys: 4005,
    });
    await grow(store, 'a/all', 4, 4);
    await grow(store, 'b/all', 4001, 4005);
    await grow(store, 'd/all', 1, 1);
    const { heights, keys } = await listed(store, first.heights);
    expect(heights).toEqual(await heightsOf(store));
    expect(heights.map(({ n }) => n)).toEqual([4, 4005, 2, 1]);
    expect(keys).toBe(4 + 1 + 6 + 2 + 1);
  });

  test('tell of a log whose end is gone no more than is there', async () => {
    const store = createStoreInMemory();
    await grow(store, 'a/all', 1, 10);
    expect(await heightsOf(store, [{ model: 'a', segment: 'all', n: 5000 }])).toEqual([{ model: 'a', segment: 'all', n: 1 }]);
  });
});
