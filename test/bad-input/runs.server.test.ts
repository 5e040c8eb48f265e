import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';
import { startUserDataApi } from '../../simulation/user-data-api.ts';
import type { UserDataApi, UserDataApiOptions } from '../../simulation/user-data-api.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { freePort } from '../../workers/ports.ts';
import { perennial, started } from '../cli/command.ts';
import type { Surroundings } from '../cli/command.ts';
import { makeProject } from '../cli/project.ts';
import { temporalBinary } from '../support/temporal.ts';

/** What is found out only while a run reads: each ends the run and the command with a code and its cure, and leaves no version and no half of a file. */
let here: Surroundings;
let remove: () => Promise<void>;
let dev: ChildProcess;
let apiPort: number;

const config = (port: number) => `
import { defineConfig } from 'perennial-ml';
const api = { kind: 'http', baseUrl: 'http://127.0.0.1:${port}', allowedHosts: ['127.0.0.1:${port}'] } as const;
export default defineConfig({ connections: {
  files: { kind: 'folder', path: 'data' },
  api: { ...api, token: { file: 'token' } },
  stranger: { ...api, token: { file: 'wrong-token' } },
  nobody: { ...api, token: { env: 'TOKEN_THAT_NOBODY_SET' } },
} });
`;

const pipeline = `
import { defineModel } from 'perennial-ml';
export const films = defineModel({
  format: 1, name: 'films', task: 'recommendation',
  sources: {
    ratings: { from: 'files:/ratings.csv', read: 'csv', key: ['userId', 'movieId'], time: 'ratedAt',
      columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: { kind: 'time', named: 'timestamp', unit: 's' } } },
  },
  contract: [{ check: 'not-null', of: 'ratings.rating', maxShare: 0.05 }],
  rows: { sql: 'SELECT userId, movieId, rating, ratedAt FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4 },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [50] } }],
  gate: { metric: 'ndcg@10', baselines: [] },
});
`;

beforeAll(async () => {
  apiPort = await freePort();
  const made = await makeProject({ 'perennial.config.ts': config(apiPort), 'pipelines/films.ts': pipeline, token: 'right', 'wrong-token': 'wrong' });
  remove = made.remove;
  const data = join(made.folder, 'data');
  await simulateStreamingService(data, { seed: 3, users: 40, films: 40, from: '2025-01-01', to: '2025-04-01' });
  const [titles = '', ...rows] = (await readFile(join(data, 'ratings.csv'), 'utf8')).trimEnd().split('\n');
  const columns = titles.split(',');
  const rating = columns.indexOf('rating');
  const withRating = (row: string, value: string): string => row.split(',').with(rating, value).join(',');
  const write = (name: string, changed: readonly string[]) => writeFile(join(data, name), `${[titles, ...changed].join('\n')}\n`);
  await write(
    'nulls.csv',
    rows.map((row, at) => (at % 10 < 3 ? withRating(row, '') : row)),
  );
  await write(
    'words.csv',
    rows.map((row, at) => (at === 7 ? withRating(row, 'excellent') : row)),
  );
  await write('doubled.csv', [...rows, ...rows.slice(0, 5)]);
  here = { project: made.folder, home: join(made.folder, '.perennial'), env: { TEMPORAL_CLI_PATH: await temporalBinary() } };
  ({ child: dev } = await started(here, 'dev'));
}, 120_000);
afterAll(async () => {
  const exited = once(dev, 'exit');
  dev.kill('SIGINT');
  await exited;
  await remove();
});

let api: UserDataApi | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

async function serveApi(options: Partial<UserDataApiOptions>): Promise<void> {
  api = await startUserDataApi({ ratings: join(here.project, 'data', 'ratings.csv'), token: 'right', pageSize: 50, port: apiPort, ...options });
}

const fromApi = (connection: string): string =>
  `sources.ratings={"from":"${connection}:/v1/ratings","read":"json-pages","key":["userId","movieId"],"time":"ratedAt","columns":{"userId":"key","movieId":"key","rating":"number","ratedAt":"time"}}`;

/** Trains with one setting changed, which has to fail. */
async function train(...settings: readonly string[]) {
  const ran = await perennial(here, 'train', 'films', ...settings.flatMap((each) => ['--set', each]), '--json');
  const { error } = JSON.parse(ran.stdout) as { readonly error: { readonly code: string; readonly message: string } };
  expect(ran.stderr).toContain(`error [${error.code}]: ${error.message}\nits steps: perennial show `);
  expect(ran.stderr).not.toMatch(/^\s+at /m);
  await nothingIsHalfWritten();
  return { exit: ran.code, ...error };
}

async function nothingIsHalfWritten(): Promise<void> {
  const store = await openStore(join(here.home, 'store'));
  expect(await keysOf(store, 'models/')).toEqual([]);
  expect(await readdir(join(here.home, 'store', '.unfinished'))).toEqual([]);
  // Every piece of content is named by a record: nothing was kept that nobody made.
  const verified = await perennial(here, 'verify', '--json');
  expect({ code: verified.code, findings: JSON.parse(verified.stdout).findings }).toEqual({ code: 0, findings: [] });
  const scratch = join(here.home, 'work', 'scratch');
  const files = (await readdir(scratch, { recursive: true, withFileTypes: true })).filter((each) => each.isFile() && !each.name.endsWith('.lock'));
  expect(files.map(({ name }) => name)).toEqual([]);
}

describe('a run ends with its code and its cure, with exit 1 and nothing half-written, over', () => {
  test.each<[string, string, string, RegExp]>([
    ['a file that is missing', 'sources.ratings.from=files:/rating.csv', 'SourceMissing', /did you mean "ratings\.csv"/],
    ['values of the wrong type', 'sources.ratings.from=files:/words.csv', 'SourceInvalid', /column "rating" .*number.* 1 of/],
    ['30 % nulls', 'sources.ratings.from=files:/nulls.csv', 'ContractBroken', /ratings\.rating.*30/],
    ['keys that are there twice', 'sources.ratings.from=files:/doubled.csv', 'ContractBroken', /unique/],
    ['SQL that writes', 'rows.sql=DELETE FROM ratings', 'SqlRefused', /only a SELECT/],
    ['SQL that reads a file', `rows.sql=SELECT * FROM read_csv('/etc/passwd')`, 'SqlRefused', /read_csv\(\) may not be called/],
    ['a connection that is not configured', 'sources.ratings.from=file:/ratings.csv', 'ConnectionUnknown', /files/],
    ['a token that is not there', fromApi('nobody'), 'SecretMissing', /TOKEN_THAT_NOBODY_SET/],
  ])(
    '%s',
    async (_, setting, code, cure) => {
      expect(await train(setting)).toMatchObject({ exit: 1, code, message: expect.stringMatching(cure) });
    },
    60_000,
  );

  test.each<[string, string, Partial<UserDataApiOptions>, string, RegExp]>([
    ['a token that is refused', 'stranger', {}, 'SourceRefused', /answered 401/],
    ['an API that answers with HTML', 'api', { faults: { html: [3] } }, 'SourceInvalid', /text\/html/],
    ['an API whose pages do not end', 'api', { faults: { endless: true } }, 'SourceInvalid', /do not end/],
  ])(
    '%s',
    async (_, connection, options, code, cure) => {
      await serveApi(options);
      expect(await train(fromApi(connection))).toMatchObject({ exit: 1, code, message: expect.stringMatching(cure) });
    },
    60_000,
  );
});

test('and the next run, with what is right, is promoted: an API that stumbles with 500 and 429 is asked again', async () => {
  await serveApi({ faults: { status: { 2: 500, 3: 429, 5: 503 } } });
  const ran = await perennial(here, 'train', 'films', '--set', fromApi('api'), '--json');
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('"outcome": "promoted"') });
}, 60_000);
