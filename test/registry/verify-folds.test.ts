import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Entry } from '../../core/registry-entry.ts';
import { erase } from '../../registry/erase.ts';
import { foldOf, unfold } from '../../registry/folds.ts';
import { prune } from '../../registry/prune.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { type Blobs, openBlobs } from '../../stores/blobs.ts';
import { copyStore } from '../../stores/copy-store.ts';
import { sha256 } from '../../stores/digest.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { seal, unseal } from '../../stores/sealed.ts';
import { registered } from './samples.ts';

const place = { model: 'm', segment: 'all' };
const author = { by: 'anna', run: null };
const fold = 'folded/m/all/000000000064.jsonl';
const entry = (n: number): string => `models/m/all/log/${String(n).padStart(12, '0')}.json`;

let folder: string;
let store: ObjectStore;
let blobs: Blobs;
let registry: Registry;

async function open(at = 'store'): Promise<void> {
  store = await openStore(join(folder, at));
  blobs = await openBlobs(store, join(folder, `${at}-cache`));
  registry = openRegistry(store, blobs);
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-verify-folds-'));
  await open();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Lets the log grow to so many entries. */
async function grow(length: number): Promise<void> {
  for (let n = (await registry.state(place)).entries + 1; n <= length; n++) {
    const spec = { kind: 'spec', mediaType: 'application/json', ...(await blobs.putBytes(Buffer.from(`spec ${n % 2}`))) } as const;
    await registry.apply('m', spec, author);
  }
}

const findings = async () => (await verify(store)).findings.map(({ object, problem }) => `${problem} ${object}`);
const pathOf = (object: string): string => join(folder, 'store', object);

async function rewrite(object: string, change: (body: Buffer) => Uint8Array): Promise<void> {
  await chmod(pathOf(object), 0o644);
  await writeFile(pathOf(object), change(await readFile(pathOf(object))));
}

const resealed = (body: Uint8Array, change: Partial<Entry>): Uint8Array => seal({ ...unseal<Entry>(body), ...change });

describe('verify', () => {
  test('finds nothing in folds as they were written, and names the one of which any byte was flipped', async () => {
    await grow(66);
    expect(await verify(store)).toMatchObject({ findings: [], entries: 66 });
    const whole = await readFile(pathOf(fold));
    // First, last, and some in every few lines, newlines among them.
    const places = [0, whole.length - 1, whole.indexOf('\n'), ...Array.from({ length: 20 }, (_, at) => Math.floor((at / 20) * whole.length))];
    for (const at of places) {
      await rewrite(fold, (body) => body.fill(body[at]! ^ 1, at, at + 1));
      expect({ at, found: await findings() }).toEqual({ at, found: [`altered ${fold}`] });
      await rewrite(fold, () => whole);
    }
    await rewrite(fold, () => Buffer.concat([whole, Buffer.from('x')]));
    expect(await findings()).toEqual([`altered ${fold}`]);
  });

  test('names a fold that lies with seals and a chain of its own, and one that is none', async () => {
    await grow(66);
    const lines = unfold(await readFile(pathOf(fold)));
    const forged: Uint8Array[] = [];
    for (const [at, line] of lines.entries()) {
      forged.push(at < 60 ? line : resealed(line, { by: 'mallory', previous: sha256(forged[at - 1]!) }));
    }
    await rewrite(fold, () => foldOf(forged));
    expect((await verify(store)).findings).toMatchObject([
      { object: fold, problem: 'altered', what: expect.stringContaining('another entry 61 of m/all') },
    ]);
    await rewrite(fold, () => foldOf(lines));
    await store.settle(key('folded/m/all/000000000063.jsonl'), foldOf(lines));
    await store.settle(key('folded/z'), Buffer.from('{}'));
    expect(await findings()).toEqual(['altered folded/m/all/000000000063.jsonl', 'altered folded/z']);
  });

  test('names the entry, and not the fold that still tells the truth, where the log was altered', async () => {
    await grow(66);
    await rewrite(entry(5), (body) => resealed(body, { by: 'mallory' }));
    expect(await findings()).toEqual([`altered ${entry(6)}`]);
    await rewrite(entry(5), () => Buffer.from('torn'));
    expect(await findings()).toEqual([`altered ${entry(5)}`]);
  });

  test('learns of a cut-off tail from a fold alone', async () => {
    await grow(66);
    for (const folderOfWitnesses of ['changes', 'seen']) await rm(pathOf(folderOfWitnesses), { recursive: true, force: true });
    for (const n of [63, 64, 65, 66]) await rm(pathOf(entry(n)));
    expect(await findings()).toEqual([`missing ${entry(63)}`, `missing ${entry(64)}`]);
  });
});

describe('a store with folds', () => {
  test('is copied without them, and has them again with the next entry of the copy', async () => {
    await grow(66);
    const from = store;
    const before = await registry.state(place);
    await open('copy');
    await copyStore(from, store, { scratch: join(folder, 'scratch') });
    expect(await keysOf(store, 'folded/')).toEqual([]);
    expect(await registry.state(place)).toEqual(before);
    await grow(67);
    expect(await keysOf(store, 'folded/')).toEqual([fold]);
    expect(await findings()).toEqual([]);
  });

  test('says the same after erasing and pruning: a fold holds what its log does, which never held what is gone', async () => {
    const path = join(folder, 'rows');
    const subject = 'customer-of-whom-nothing-may-stay';
    await writeFile(path, subject);
    const by = { workflowId: 'train/m', runId: 'run-1', workflowType: 'train' };
    const provenance = { step: 'buildRows', code: 'c0de', inputs: {}, parameters: {}, environment: {} };
    const rows = await openArtifactStore(store, blobs).commit('rows', provenance, path, { mediaType: 'text/plain', by });
    const pack = { kind: 'package', mediaType: 'application/json', ...(await blobs.putBytes(Buffer.from('{"files":[]}'))) } as const;
    await registry.register(place, { ...registered('first', pack), seen: { rows, splits: [] } }, author);
    await grow(130);
    const folds = await Promise.all((await keysOf(store, 'folded/')).map((each) => readFile(pathOf(each))));
    expect(folds.length).toBe(2);

    const erased = await erase(store, registry, { origins: [rows.sha256], retire: true, reason: 'asked for' }, author);
    expect(erased.content).toContain(rows.sha256);
    const namedInHistory = async () => [];
    await prune(store, registry, { namedInHistory, keep: 1, before: '2100-01-01T00:00:00.000Z', reason: 'the disk is full' }, author);
    const objects = await keysOf(store, '');
    const bodies = await Promise.all(objects.map((object) => readFile(pathOf(object))));
    expect(objects.filter((_, at) => bodies[at]!.includes(subject))).toEqual([]);
    expect(await Promise.all((await keysOf(store, 'folded/')).map((each) => readFile(pathOf(each))))).toEqual(folds);

    await open();
    expect((await registry.state(place)).versions).toMatchObject([{ status: 'retired', erased: [{ content: erased.content }] }]);
    const found = await findings();
    expect(found.filter((finding) => finding.includes('folded') || finding.includes('models/'))).toEqual([]);
  });
});
