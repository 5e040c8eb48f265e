import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { blobKey, type Blob } from '../../stores/blobs.ts';
import { byGenre, films } from '../serving/films.ts';
import { openShop } from '../serving/shop.ts';
import type { Shop } from '../serving/shop.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

let shop: Shop;
let here: Surroundings;
let stray: Blob;
let removeProject: () => Promise<void>;

beforeAll(async () => {
  const made = await makeProject({});
  removeProject = made.remove;
  shop = await openShop();
  here = { project: made.folder, home: shop.folder };
  await shop.register({ model: 'recommender', onnx: byGenre(), items: films });
  const path = join(shop.folder, 'stray');
  await writeFile(path, 'what an upload left that nobody recorded');
  stray = await shop.blobs.put(path);
  const old = new Date('2026-01-01');
  await utimes(join(shop.folder, 'store', blobKey(stray.sha256)), old, old);
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

const pruned = async (...args: readonly string[]) => JSON.parse((await perennial(here, 'prune', ...args, '--json')).stdout) as object;

describe('perennial prune', () => {
  test('tells what would go, and removes it only with --yes', async () => {
    const plan = { versions: [], records: 0, contents: 1, bytes: stray.bytes };
    expect(await pruned()).toEqual({ ...plan, done: false });
    expect((await perennial(here, 'prune')).stdout).toContain('Nothing was removed yet: perennial prune --yes');
    expect(await pruned('--yes')).toEqual({ ...plan, done: true });
    expect(await shop.blobs.head(stray.sha256)).toBeUndefined();
    expect((await perennial(here, 'prune', '--yes')).stdout).toContain('nothing to prune');
    expect((await perennial(here, 'verify')).code).toBe(0);
  });

  test('is misused with a span that is none, or with a short one while nobody knows which runs are open', async () => {
    for (const span of ['a while', '1h']) expect(await perennial(here, 'prune', '--older-than', span)).toMatchObject({ code: 2, stdout: '' });
  });
});
