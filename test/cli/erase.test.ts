import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withDuckdb } from '../../data/duckdb.ts';
import type { Blob } from '../../stores/blobs.ts';
import { byGenre, films } from '../serving/films.ts';
import { openShop } from '../serving/shop.ts';
import type { Shop } from '../serving/shop.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

let shop: Shop;
let here: Surroundings;
let ratings: Blob;
let removeProject: () => Promise<void>;

beforeAll(async () => {
  const made = await makeProject({});
  removeProject = made.remove;
  shop = await openShop();
  here = { project: made.folder, home: shop.folder };
  await shop.register({ model: 'recommender', onnx: byGenre(), items: films });
  const path = join(shop.folder, 'ratings.parquet');
  await withDuckdb({ write: [path] }, { scratch: shop.folder, signal: new AbortController().signal }, (db) =>
    db.run(`COPY (SELECT i AS "userId", 4 AS rating FROM range(50) r(i)) TO '${path}' (FORMAT parquet)`),
  );
  ratings = await shop.blobs.put(path);
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

const erased = async (...args: readonly string[]) => {
  const { code, stdout } = await perennial(here, 'erase', ...args, '--json');
  return { code, ...(JSON.parse(stdout) as object) };
};

describe('perennial erase', () => {
  test('tells what holds a person, and erases it only with a reason and --yes', async () => {
    expect(await erased('--subject', 'userId=50')).toMatchObject({ code: 0, content: [], versions: [] });
    const plan = { code: 0, content: [ratings.sha256], bytes: ratings.bytes, versions: [] };
    expect(await erased('--subject', 'user_id=42', 'userid=42')).toEqual({ ...plan, erasure: null, done: false });
    expect(await shop.blobs.head(ratings.sha256)).toBeDefined();
    expect(await erased('--subject', 'userId=42', '--reason', 'request 17', '--yes')).toEqual({ ...plan, erasure: expect.any(String), done: true });
    expect(await shop.blobs.head(ratings.sha256)).toBeUndefined();
    expect((await perennial(here, 'erase', '--subject', 'userId=42')).stdout).toMatch(/^nothing in .* holds it\n$/);
    expect((await perennial(here, 'verify')).code).toBe(0);
  });

  test('knows a column that nothing has from a person who is not there, names those there are, and does nothing', async () => {
    const args = ['erase', '--subject', 'usrId=42', '--reason', 'request 17', '--yes'];
    const { code, stdout, stderr } = await perennial(here, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/has a column "usrId" \(did you mean "userId"\?\): there are .*\buserId\b/);
    const spellings = await perennial(here, 'erase', '--subject', 'userId=50', 'user_no=50');
    expect(spellings).toMatchObject({ code: 0, stderr: expect.stringContaining('has a column "user_no"') as unknown });
  });

  test('names the sources where a dataset is none', async () => {
    const { code, stderr } = await perennial(here, 'erase', '--dataset', 'ratngs');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/no source is called "ratngs", and nothing was made .* has none\n$/) });
  });

  test.each([
    ['names nothing', []],
    ['names two things', ['--subject', 'userId=42', '--dataset', 'ratings']],
    ['gives no column', ['--subject', '42']],
    ['gives no reason', ['--subject', 'userId=42', '--yes']],
    ['names the person in the reason, which stays for ever', ['--subject', 'userId=42', '--reason', 'user 42 asked', '--yes']],
  ])('is misused where it %s', async (_, args) => {
    expect(await perennial(here, 'erase', ...args)).toMatchObject({ code: 2, stdout: '' });
  });
});
