import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { canonical } from '../../core/canonical.ts';
import type { Entry } from '../../core/registry-entry.ts';
import { exportPackage } from '../../registry/export-package.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { openMarks } from '../../registry/seen.ts';
import { verify } from '../../registry/verify/verify.ts';
import { blobKey, type Blobs, openBlobs } from '../../stores/blobs.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { seal } from '../../stores/sealed.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';
import { registered } from './samples.ts';

const place = { model: 'm', segment: 'all' };
const person = { by: 'ada', run: null };

let folder: string;
let store: ObjectStore;
let blobs: Blobs;
let registry: Registry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-hostile-'));
  store = await openStore(join(folder, 'store'));
  blobs = await openBlobs(store, join(folder, 'cache'));
  registry = openRegistry(store, blobs);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = async (content: unknown) => ({
  kind: 'package' as const,
  mediaType: 'application/json',
  ...(await blobs.putBytes(Buffer.from(canonical(content)))),
});
const unlike = async () => (await verify(store)).findings.filter(({ what }) => what === 'the log says that it is the package of m/all@1');
const anotherReader = (): Registry => openRegistry(store, blobs);

describe('what somebody else put into the store', () => {
  test.each(['../../escaped.txt', '/escaped.txt', 'a/../../escaped.txt', 'model.sig', 'manifest.json'])(
    'does not make an export write %s',
    async (path) => {
      const { sha256, bytes } = await put('content');
      const pack = await put({ format: 1, ...place, files: [{ path, role: 'model', sha256, bytes, mediaType: 'text/plain' }] });
      await registry.register(place, registered('v1', pack), person);
      const out = join(folder, 'a', 'b', 'out');
      await expect(exportPackage({ store, blobs, registry }, await registry.version('m@1'), out)).rejects.toMatchObject({ code: 'PackageInvalid' });
      expect((await readdir(folder)).toSorted()).toEqual(['cache', 'store']);
    },
  );

  test('does not make an export, or verify, take a spec that the package was not made from', async () => {
    const spec = await put('the spec');
    const pack = await put({ format: 1, ...place, files: [{ ...spec, path: 'spec.json', role: 'spec' }] });
    const version = registered('v1', pack);
    await registry.register(place, version, person);
    const exporting = exportPackage({ store, blobs, registry }, await registry.version('m@1'), join(folder, 'out'));
    await expect(exporting).rejects.toMatchObject({
      code: 'PackageInvalid',
      facts: { expected: `the spec ${version.spec.sha256}`, found: `the spec ${spec.sha256}` },
    });
    expect(await readdir(folder)).not.toContain('out');
    expect(await unlike()).toEqual([expect.objectContaining({ object: blobKey(pack.sha256), found: `the spec ${spec.sha256}` })]);
  });

  test('is believed of the spec where a package is of before it held one', async () => {
    await registry.register(place, registered('v1', await put({ format: 1, ...place, files: [] })), person);
    await exportPackage({ store, blobs, registry }, await registry.version('m@1'), join(folder, 'out'));
    expect(await unlike()).toEqual([]);
  });

  test('is no signature because it lies where one would', async () => {
    const pack = await put({ format: 1, ...place, files: [] });
    await registry.register(place, registered('v1', pack), person);
    await store.settle(key(`signatures/${pack.sha256}/${'ab'.repeat(32)}.json`), Buffer.from('not a signature'));
    const exported = await exportPackage({ store, blobs, registry }, await registry.version('m@1'), join(folder, 'out'));
    expect(exported).toMatchObject({ signedBy: null, files: ['manifest.json'] });
  });

  test('ends a reader in a coded error that names it: an entry far beyond the others', async () => {
    await registry.register(place, registered('v1', await put('1')), person);
    await store.settle(key('models/m/all/log/999999999999.json'), Buffer.from('{}'));
    await expect(anotherReader().state(place)).rejects.toMatchObject({ code: 'LogCorrupt', message: expect.stringContaining('999999999999.json') });
  });

  test('ends a reader in a coded error that names it: an entry of an unknown kind', async () => {
    const entry = { n: 1, previous: null, nonce: 'n', at: '2026-01-01T00:00:00.000Z', by: 'x', run: null, command: { kind: 'later' } };
    await store.settle(key('models/m/all/log/000000000001.json'), seal(entry as unknown as Entry));
    await expect(registry.state(place)).rejects.toMatchObject({ code: 'LogCorrupt', message: expect.stringContaining('unknown kind "later"') });
  });

  test('is one finding, however many entries it claims to have seen', async () => {
    await registry.register(place, registered('v1', await put('1')), person);
    const hint = `changes/2026-01-01/1767225600000_400000_m_all_.00000000.json`;
    await store.settle(key(hint), Buffer.from(`${JSON.stringify({ ...place, n: 400_000 })}\n`));
    const missing = (await verify(store)).findings.filter(({ problem, what }) => problem === 'missing' && what.includes('entries'));
    expect(missing.map(({ what }) => what)).toEqual([expect.stringContaining('entries 2 to 400000 of m/all are not there')]);
  });
});

test('a mark is written after a listing that failed', async () => {
  let fails = true;
  const shaky = createStoreInMemory((what) => {
    if (what === 'list' && fails) throw new Error('away');
  });
  const marks = openMarks(shaky);
  const seen = { ...place, n: 1, sha256: 'ab'.repeat(32) };
  await expect(marks.mark(seen)).rejects.toThrow('away');
  fails = false;
  await marks.mark(seen);
  expect([...shaky.objects.keys()]).toEqual(['seen/m/all/000000000001.json']);
});

test('nothing is pruned of a log that is empty', async () => {
  expect(await registry.prune(place, { versions: [1], reason: 'none' }, person)).toEqual([]);
});
