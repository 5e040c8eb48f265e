import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Link, openLog } from '../../registry/log.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { seal } from '../../stores/sealed.ts';
import { race, startChild } from '../conformance/children.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';

type Note = Link & { readonly told: number; readonly by?: number };

let root: string;
let store: ObjectStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-log-'));
  store = await openFolderStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = () => openLog<Note>(store, 'models/m/all/log');
const note = (entries: readonly Note[]) => ({ told: entries.length });
const path = (n: number) => join(root, 'models/m/all/log', `${String(n).padStart(12, '0')}.json`);

async function filled(entries: number): Promise<void> {
  const log = open();
  for (let at = 0; at < entries; at++) await log.append(note);
}

async function rewrite(n: number, change: (text: string) => string): Promise<void> {
  await chmod(path(n), 0o644);
  await writeFile(path(n), change(await readFile(path(n), 'utf8')));
}

function sealedAgain(text: string, change: object): string {
  const { seal: _, ...entry } = JSON.parse(text) as { readonly seal: string };
  return Buffer.from(seal({ ...entry, ...change })).toString('utf8');
}

describe('the log', () => {
  test('numbers its entries from 1 and chains each to the one before', async () => {
    await filled(3);
    const entries = await open().read();
    expect(entries.map((it) => it.n)).toEqual([1, 2, 3]);
    expect(entries.map((it) => it.told)).toEqual([0, 1, 2]);
    expect(entries[0]!.previous).toBeNull();
    expect(new Set(entries.map((it) => it.previous)).size).toBe(3);
    expect(await openLog(store, 'absent').read()).toEqual([]);
  });

  test('appends nothing when the decision is nothing', async () => {
    expect(await open().append(() => undefined)).toBeUndefined();
    expect(await open().read()).toEqual([]);
  });

  test('asks every racing writer again until it has seen all that came before', async () => {
    const entries = await Promise.all(Array.from({ length: 32 }, () => open().append(note)));
    expect(entries.map((it) => it!.n).sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, at) => at + 1));
    for (const entry of await open().read()) expect(entry.told).toBe(entry.n - 1);
  });

  test('is one log for writers that share it, too', async () => {
    const log = open();
    await Promise.all(Array.from({ length: 32 }, () => log.append(note)));
    for (const entry of await log.read()) expect(entry.told).toBe(entry.n - 1);
    expect(await log.read()).toHaveLength(32);
  });

  test('lets one of four racing processes win each entry, and keeps the chain', async () => {
    await race(4, 'append', store.uri, 'models/m/all/log', 25);
    const entries = await open().read();
    expect(entries.map((it) => it.n)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    for (const entry of entries) expect(entry.told).toBe(entry.n - 1);
    expect(new Set(entries.map((it) => it.by)).size).toBe(4);
  });

  test('goes on where a writer was killed with -9 in the middle', async () => {
    for (let round = 0; round < 3; round++) {
      const before = (await open().read()).length;
      const writer = await startChild('append', store.uri, 'models/m/all/log', 1_000_000);
      writer.process.send('go');
      const log = open();
      while ((await log.read()).length < before + 10);
      writer.process.kill('SIGKILL');
      await once(writer.process, 'exit');
    }
    await open().append(note);
    const entries = await open().read();
    expect(entries.length).toBeGreaterThan(30);
    for (const entry of entries) expect(entry.told).toBe(entry.n - 1);
  });

  test.each([
    ['altered', 2, (text: string) => text.replace('"told":1', '"told":7'), 2],
    ['altered and sealed again', 2, (text: string) => sealedAgain(text, { told: 7 }), 3],
    ['torn', 2, (text: string) => text.slice(0, 20), 2],
    ['renumbered', 2, (text: string) => text.replace('"n":2', '"n":3'), 2],
    ['emptied', 3, () => '', 3],
  ])('says which entry was %s', async (_, damaged, change, named) => {
    await filled(3);
    await rewrite(damaged, change);
    const corrupt = { code: 'LogCorrupt', message: expect.stringContaining(`models/m/all/log/00000000000${named}.json`) };
    await expect(open().read()).rejects.toMatchObject(corrupt);
    await expect(open().append(note)).rejects.toMatchObject(corrupt);
  });

  test('says which entry is missing', async () => {
    await filled(3);
    await rm(path(2));
    await expect(open().read()).rejects.toMatchObject({ code: 'LogCorrupt', message: expect.stringContaining('000000000002.json') });
  });

  test('fetches what it read only once', async () => {
    const reads: string[] = [];
    store = createStoreInMemory((what, key) => void (what === 'read' && reads.push(key)));
    await filled(5);
    const log = open();
    await log.read();
    expect(reads.length).toBe(5);
    await openLog<Note>(store, 'models/m/all/log').append(note);
    reads.length = 0;
    expect(await log.read()).toHaveLength(6);
    expect(reads).toEqual(['models/m/all/log/000000000006.json']);
  });
});
