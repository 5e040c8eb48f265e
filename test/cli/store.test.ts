import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { byGenre, films } from '../serving/films.ts';
import { openShop, type Shop } from '../serving/shop.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

let shop: Shop;
let here: Surroundings;
let removeProject: () => Promise<void>;
let target: string;
beforeAll(async () => {
  const made = await makeProject({});
  removeProject = made.remove;
  shop = await openShop();
  here = { project: made.folder, home: shop.folder };
  await shop.release({ model: 'recommender', onnx: byGenre(), items: films });
  target = join(await mkdtemp(join(shop.folder, 'target-')), 'store');
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

describe('perennial store copy', () => {
  test('says what it copied, as text and as one JSON value, and leaves nothing of its own behind', async () => {
    const store = join(shop.folder, 'store');
    const { code, stdout } = await perennial(here, 'store', 'copy', store, target, '--json');
    expect(code).toBe(0);
    const copied = JSON.parse(stdout) as { readonly objects: number };
    expect(copied).toEqual({ from: expect.any(String), to: expect.any(String), objects: expect.any(Number), bytes: expect.any(Number), already: 0 });
    expect((await perennial(here, 'store', 'copy', store, target)).stdout).toContain(`; ${copied.objects} were there`);
    expect(await readdir(join(shop.folder, 'work'))).not.toContainEqual(expect.stringMatching(/^copy-/));
    expect((await perennial(here, 'versions', 'recommender')).stdout).toContain('champion');
  });

  test.each([
    ['another action', ['move', 'a', 'b']],
    ['a store into itself', ['copy', './a', './a']],
    ['an empty store', ['copy', './none', './b']],
  ])('%s is misuse', async (_, args) => {
    expect(await perennial(here, 'store', ...args)).toMatchObject({ code: 2, stdout: '' });
  });

  test('of an unknown kind of store says which there are', async () => {
    expect(await perennial(here, 'store', 'copy', 'ftp://example.com/x', './b')).toMatchObject({ code: 1, stderr: expect.stringContaining('file:') });
  });
});
