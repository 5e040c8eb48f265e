import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { byGenre, films } from '../serving/films.ts';
import { openShop } from '../serving/shop.ts';
import type { Shop } from '../serving/shop.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

const specOf = (name: string): string => `
import { defineModel } from 'perennial-ml';
export default defineModel({
  format: 1, name: '${name}', task: 'recommendation',
  sources: { ratings: { from: 'files:/ratings.csv', read: 'csv', key: ['userId', 'movieId'], time: 'ratedAt',
    columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' } } },
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4 },
  segments: { by: 'month-of-year(ratedAt)', only: [10, 12] },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease' }],
});
`;

let shop: Shop;
let here: Surroundings;
let removeProject: () => Promise<void>;

/** The project has \`books\`, which was never trained, and \`films\`, which was, of all rows; the store has \`songs\` of another project besides. */
beforeAll(async () => {
  const made = await makeProject({ 'pipelines/films.ts': specOf('films'), 'pipelines/books.ts': specOf('books') });
  removeProject = made.remove;
  shop = await openShop();
  here = { project: made.folder, home: shop.folder };
  await shop.release({ model: 'films', onnx: byGenre(), items: films });
  await shop.register({ model: 'songs', onnx: byGenre(), items: films });
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

const misused = async (args: readonly string[], said: string) => {
  const { code, stderr } = await perennial(here, ...args);
  expect({ args, code, stderr }).toEqual({ args, code: 2, stderr: expect.stringContaining(said) });
};

test.each([
  [['predict', 'books', '--user', '7']],
  [['versions', 'books']],
  [['lineage', 'books']],
  [['compare', 'films', 'books']],
  [['approve', 'books@1']],
  [['promote', 'books@1', '--reason', 'x']],
  [['rollback', 'books', '--reason', 'x']],
  [['export', 'books', '--to', 'package']],
  [['reproduce', 'books']],
  [['sign', 'books']],
  [['verify', 'books@1']],
])('%j, of a model that is there and was never trained, says how to train it', (args) =>
  misused(args, '[ModelUnknown]: books is not trained yet: `perennial train books`'),
);

test('so does a segment of its own, and a run that never was', async () => {
  await misused(['versions', 'films/month=12'], '[ModelUnknown]: films/month=12 is not trained yet: `perennial train films/month=12`');
  for (const verb of ['show', 'explain-cache'])
    await misused([verb, 'books'], '[RunUnknown]: no run "books" is known: start one with `perennial train books`');
});

describe('a name that is misspelt', () => {
  test.each([
    ['boks', 'books'],
    ['flims', 'films'],
    ['song', 'songs'],
  ])('as %s, is looked for in project and store', async (misspelt, meant) => {
    const said = `no model is called "${misspelt}" (did you mean "${meant}"?): ${join(here.project, 'pipelines')} has books, films; ${join(shop.folder, 'store')} has films, songs`;
    await misused(['predict', misspelt, '--user', '7'], said);
    await misused(['versions', misspelt], said);
    await misused(['promote', `${misspelt}@1`, '--reason', 'x'], said);
  });

  test('is looked for where a spec is needed, too, and another project’s model is told from none', async () => {
    await misused(['train', 'flims'], 'did you mean "films"?');
    await misused(['train', 'songs'], 'there is no spec of "songs" in');
    await misused(['backfill', 'songs', '--months', '2025-10'], 'there is no spec of "songs" in');
  });

  test('is told of runs', () => misused(['show', 'flims'], 'did you mean "films"?'));
});

test('a model whose versions all lost says to name one', () =>
  misused(['versions', 'songs@champion'], 'none is champion: name one, such as songs/all@1'));

test('doctor doubts a secret only where a model that is used here needs it, and tells of the others who will', async () => {
  const folder = (env: string) => ({ kind: 'folder', path: '.', pseudonymKey: { env } });
  const connections = { files: folder('FILES_KEY'), mail: folder('MAIL_KEY') };
  const config = join(here.project, 'perennial.config.mjs');
  await writeFile(config, `export default ${JSON.stringify({ connections })};`);
  const secretsFound = async (home: string) => (await perennial({ ...here, home }, 'doctor')).stdout.match(/^. secrets .*$/gm);
  try {
    expect(await secretsFound(here.home)).toEqual([
      expect.stringMatching(/^! .*environment variable FILES_KEY, which is needed for films$/),
      expect.stringMatching(/^– .*environment variable MAIL_KEY: no model needs it$/),
    ]);
    expect(await secretsFound(join(here.project, 'empty'))).toEqual([
      expect.stringMatching(/^– .*FILES_KEY: books, films will need it, once applied or trained here$/),
      expect.stringMatching(/^– .*MAIL_KEY/),
    ]);
  } finally {
    await rm(config);
  }
}, 60_000);

test('rows asked of a recommender say what it is asked for, in words to type', async () => {
  const { code, stderr } = await perennial({ ...here, input: '{"rows": [{"a": 1}]}' }, 'predict', 'films', '--input', '-');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining(
      'task recommendation, which is asked for a "user" or for what somebody "liked": `perennial predict films --user 42`',
    ),
  });
});
