import { readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { perennial } from '../cli/command.ts';
import type { Surroundings } from '../cli/command.ts';
import { makeProject } from '../cli/project.ts';
import { onNode } from '../support/strange-node.ts';

/** What is refused before anything runs. Each: one coded line with its cure, the exit code, and nothing written. */
let here: Surroundings;
let remove: () => Promise<void>;
beforeEach(async () => {
  const made = await makeProject({});
  [here, remove] = [{ project: made.folder, home: join(made.folder, 'home') }, made.remove];
});
afterEach(() => remove());

const spec = (changes = '') => `{
  format: 1, name: 'films', task: 'recommendation',
  sources: { ratings: { from: 'files:/ratings.csv', read: 'csv', key: ['userId', 'movieId'], time: 'ratedAt',
    columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' } } },
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4 },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [100] } }],
  gate: { metric: 'ndcg@10', baselines: ['popularity'] },
  ${changes}
}`;

async function refused(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await perennial({ ...here, env }, ...args, '--json');
  const { error } = JSON.parse(stdout) as { readonly error: { readonly code: string; readonly message: string } };
  expect(stderr).toBe(`error [${error.code}]: ${error.message}\n`);
  // Not even a home, but for the cache that the compiler keeps in that of the user.
  expect((existsSync(here.home) ? await readdir(here.home) : []).filter((name) => name !== '.cache')).toEqual([]);
  return { exit: code, ...error };
}

describe('a spec', () => {
  test.each<[string, string, string, RegExp]>([
    ['with an unknown field', `splitt: {},`, 'SpecInvalid', /unknown field "splitt"; did you mean "split"\?/],
    ['whose name leaves its folder', `name: '../films',`, 'SpecInvalid', /name: "\.\.\/films" is not a name/],
    ['with a function', `rows: () => 'SELECT 1',`, 'SpecInvalid', /rows: a function is not a/],
    ['with a function where any JSON may be', `train: [{ trainer: 'ease', with: { l2: () => 100 } }],`, 'SpecInvalid', /train\[0\]\.with\.l2/],
    ['with a date', `window: { last: new Date(0) },`, 'SpecInvalid', /window\.last: a date is not/],
    ['with a number that is none', `train: [{ trainer: 'ease', with: { l2: NaN } }],`, 'SpecInvalid', /train\[0\]\.with\.l2/],
    ['with a bigint', `target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4n },`, 'SpecInvalid', /target\.relevantFrom/],
    ['with an undefined part', `rows: undefined,`, 'SpecInvalid', /rows: is missing/],
  ])('%s is %s%s', async (_, changes, code, fault) => {
    await writeFile(join(here.project, 'pipelines', 'films.js'), `export const films = ${spec(changes)};`);
    const { exit, code: said, message } = await refused(['train', 'films']);
    expect({ exit, said }).toEqual({ exit: 1, said: code });
    expect(message).toMatch(fault);
    expect(message).toContain(join(here.project, 'pipelines', 'films.js'));
  });

  test('that holds itself is SpecInvalid, and does not end the process', async () => {
    const text = `export const films = ${spec()};\nfilms.train[0].with = films;`;
    await writeFile(join(here.project, 'pipelines', 'films.js'), text);
    expect(await refused(['train', 'films'])).toMatchObject({ exit: 1, code: 'SpecInvalid' });
  });

  test('with the name of another one is ConfigInvalid, with both files', async () => {
    await writeFile(join(here.project, 'pipelines', 'a.js'), `export const films = ${spec()};`);
    await writeFile(join(here.project, 'pipelines', 'b.js'), `export const films = ${spec(`refit: 'none',`)};`);
    const { exit, code, message } = await refused(['train', 'films']);
    expect({ exit, code }).toEqual({ exit: 1, code: 'ConfigInvalid' });
    expect(message).toMatch(/two specs are called "films", in .*a\.js and .*b\.js: rename one of them/);
  });

  test('in a file that cannot be loaded is ConfigInvalid, with the file', async () => {
    await writeFile(join(here.project, 'pipelines', 'films.js'), 'export const films = {');
    expect(await refused(['train', 'films'])).toMatchObject({ exit: 1, code: 'ConfigInvalid', message: expect.stringContaining('films.js') });
  });

  test('of TypeScript that cannot be parsed is told without a trace of the parser', async () => {
    await writeFile(join(here.project, 'pipelines', 'films.ts'), 'export const x = {;');
    const { code, message } = await refused(['train', 'films']);
    expect({ code, message }).toEqual({
      code: 'ConfigInvalid',
      message: expect.stringMatching(/films\.ts cannot be loaded: .*1 \| export const x = \{;/s),
    });
    expect(message).not.toMatch(/backtrace|<unknown>/);
  });
});

describe('a model name with "../" is misuse', () => {
  test.each([
    [['train', '../films']],
    [['versions', '../films']],
    [['predict', '../films', '--user', '1']],
    [['rollback', '../films', '--reason', 'x']],
  ])('%j', async (args) => {
    expect(await refused(args)).toMatchObject({ exit: 2, code: expect.stringMatching(/^(RequestInvalid|ModelUnknown)$/) });
  });
});

test('an old Node is refused in words, whatever is asked', async () => {
  for (const args of [['train', 'films'], ['dev'], ['doctor']]) {
    expect(await refused(args, onNode('18.20.0'))).toMatchObject({
      exit: 1,
      code: 'ConfigInvalid',
      message: expect.stringMatching(/this is Node v18\.20\.0 .* needs 20\.19 or newer: install one from https:\/\/nodejs\.org/),
    });
  }
});

test('a port that is taken is PortTaken, and names the port and the way out', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => other.once('listening', done));
  const { port } = other.address() as AddressInfo;
  try {
    const { code, stdout, stderr } = await perennial(here, 'serve', '--port', String(port), '--json');
    expect({ code, error: JSON.parse(stdout).error }).toMatchObject({
      code: 1,
      error: { code: 'PortTaken', message: expect.stringMatching(`port ${port} for the prediction server is taken: .* --port or PERENNIAL_PORT`) },
    });
    expect(stderr).not.toMatch(/^\s+at /m);
  } finally {
    other.close();
    await rm(here.home, { recursive: true, force: true });
  }
});

test('Temporal that is away at the start is TemporalUnavailable, with the address and the ways out', async () => {
  await writeFile(join(here.project, 'pipelines', 'films.js'), `export const films = ${spec()};`);
  expect(await refused(['train', 'films'], { TEMPORAL_ADDRESS: '127.0.0.1:9' })).toMatchObject({
    exit: 1,
    code: 'TemporalUnavailable',
    message: expect.stringContaining('127.0.0.1:9'),
  });
});
