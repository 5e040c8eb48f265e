import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Provenance } from '../../core/artifact.ts';
import { openRunArchive } from '../../registry/runs.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { sha256 } from '../../stores/digest.ts';
import { openStore } from '../../stores/open-store.ts';
import { writeRunning } from '../../workers/running.ts';
import { byGenre, films, histories, rule } from '../serving/films.ts';
import { openShop } from '../serving/shop.ts';
import type { Registered, Shop } from '../serving/shop.ts';
import { perennial, started } from './command.ts';
import type { Surroundings } from './command.ts';
import { activity, history } from './history.ts';
import { makeProject } from './project.ts';

const spec = `
import { defineModel } from 'perennial-ml';
export const recommender = defineModel({
  format: 1, name: 'recommender', task: 'recommendation',
  sources: { ratings: { from: 'files:/ratings.csv', read: 'csv', key: ['userId', 'movieId'], time: 'ratedAt',
    columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' } } },
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4 },
  segments: { by: 'month-of-year(ratedAt)', only: [10, 12] },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [100, 300] } }],
  gate: { metric: 'ndcg@10', baselines: ['popularity', 'recent-popularity'] },
});
`;

const run = { workflowId: 'train/recommender/all', runId: '0199a000-0000-7000-8000-000000000001', workflowType: 'train' };
const ratings = 'userId,movieId,rating,timestamp\n7,4,5,1535760000\n';

let project: string;
let removeProject: () => Promise<void>;
let shop: Shop;
let first: Registered;
let here: Surroundings;

beforeAll(async () => {
  const made = await makeProject({ 'pipelines/recommender.ts': spec, 'ratings.csv': ratings });
  project = made.folder;
  removeProject = made.remove;
  shop = await openShop();
  here = { project, home: shop.folder };

  first = await shop.release({ model: 'recommender', onnx: byGenre(), items: films, histories });
  await shop.register({ model: 'recommender', onnx: byGenre(films, 2), items: films, histories });
  await shop.register({ model: 'recommender', segment: 'month=10', onnx: byGenre(films, 3), items: films });
  await shop.release({ model: 'top-movies', onnx: rule(['2', '12', '9']), items: films });
  await leaveRun();
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

/** What one failed training left: a snapshot of the ratings, and its archived history. */
async function leaveRun(): Promise<void> {
  const store = await openStore(join(shop.folder, 'store'));
  const made = openArtifactStore(store, shop.blobs);
  const provenance: Provenance = {
    step: 'snapshotSource',
    code: 'c',
    inputs: { file: sha256(ratings) },
    parameters: { read: 'csv' },
    environment: {},
  };
  const path = join(shop.folder, 'snapshot');
  await writeFile(path, 'as Parquet');
  await made.commit('source', provenance, path, { mediaType: 'application/vnd.apache.parquet', by: run });
  const json = history(
    activity(5, 'snapshotSource', 'read ratings', { seconds: 0.25 }),
    activity(11, 'buildRows', 'rows', { failure: 'no such column' }),
  );
  await openRunArchive(store, shop.blobs).archive({
    ...run,
    lastEvent: 17,
    outcome: { status: 'failed', error: { code: 'SqlFailed', message: 'no such column' } },
    startedAt: '2026-01-01T00:00:00.000Z',
    closedAt: '2026-01-01T00:00:12.000Z',
    history: Buffer.from(json),
  });
}

/** The one JSON value that a command prints. */
async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await perennial(here, ...args, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('help', () => {
  test('lists every verb, and each has examples', async () => {
    const { code, stdout } = await perennial(here, '--help');
    expect(code).toBe(0);
    const verbs = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) (?:\[|<| )/gm)].map(([, verb]) => verb!);
    expect(verbs).toEqual(expect.arrayContaining(['dev', 'train', 'runs', 'show', 'versions', 'lineage', 'apply', 'backfill', 'serve', 'predict']));
    const helps = await Promise.all(['train', 'versions', 'lineage', 'apply', 'predict'].map((verb) => perennial(here, verb, '--help')));
    for (const help of helps) {
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('Examples:\n  perennial ');
      expect(help.stdout).toContain('--json');
    }
  });
});

describe('misuse ends with 2, one line that says what to write, and with --json one value too', () => {
  test.each([
    [['trian', 'recommender'], 'RequestInvalid', 'Did you mean train?'],
    [['train'], 'RequestInvalid', "missing required argument 'model'"],
    [['train', 'recommender', '--windw', '2025'], 'RequestInvalid', 'Did you mean --window?'],
    [['train', 'recommendr'], 'ModelUnknown', 'did you mean "recommender"?'],
    [['train', 'recommender/month=11'], 'RequestInvalid', 'all, month=10, month=12'],
    [['train', 'recommender', '--window', '2025-13'], 'RequestInvalid', 'write 2025-10-01..2025-11-01'],
    [['train', 'recommender', '--set', 'train.0.trainer=eese'], 'SpecInvalid', 'did you mean "ease"?'],
    [['versions', 'recommendr'], 'ModelUnknown', 'did you mean "recommender"?'],
    [['versions', 'recommender@9'], 'VersionUnknown', 'versions 1 to 2'],
    [['compare', 'recommender@1', 'recommender@9'], 'VersionUnknown', 'versions 1 to 2'],
    [['versions', 'recommender@1', '--history'], 'RequestInvalid', 'leave "@1" out'],
    [['approve', 'recommender'], 'RequestInvalid', 'recommender@3'],
    [['promote', 'recommender@2'], 'RequestInvalid', '--reason'],
    [['show', 'nobody'], 'RunUnknown', 'perennial runs'],
    [['predict', 'recommender'], 'RequestInvalid', '--user'],
    [['backfill', 'recommender'], 'RequestInvalid', '--months'],
  ])('%j', async (args, code, cure) => {
    const ran = await perennial(here, ...args, '--json');
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code, message: expect.stringContaining(cure), facts: expect.anything() } });
    expect(ran.stderr.split('\n').filter((line) => line !== '')).toEqual([expect.stringMatching(new RegExp(`^error \\[${code}\\]: `))]);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test('what needs Temporal fails with 1 where there is none, and says how to get one', async () => {
    const ran = await perennial(here, 'train', 'recommender');
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error \[TemporalUnavailable\]: .*perennial dev/) });
  });
});

describe('versions', () => {
  test('gives every segment of a model, its champion and its versions', async () => {
    const { model, segments } = await json('versions', 'recommender');
    expect(model).toBe('recommender');
    expect(Object.keys(segments)).toEqual(['all', 'month=10']);
    expect(segments.all).toMatchObject({ champion: 1, previous: null, versions: [{ version: 1, status: 'champion' }, { version: 2 }] });
    expect(segments['month=10']).toMatchObject({ champion: null, versions: [{ version: 1, status: 'registered' }] });
    expect(Object.keys((await json('versions', 'recommender/month=10')).segments)).toEqual(['month=10']);
  });

  test('tells all of one version', async () => {
    expect(await json('versions', 'recommender@champion')).toMatchObject({
      reference: 'recommender/all@1',
      status: 'champion',
      package: { sha256: first.digest },
      verdict: { name: 'better' },
      trainer: { name: 'popularity' },
    });
  });

  test('lists models without one', async () => {
    expect(await json('versions')).toMatchObject({
      models: {
        recommender: [
          { segment: 'all', champion: 1 },
          { segment: 'month=10', champion: null },
        ],
        'top-movies': [{ champion: 1 }],
      },
    });
  });

  test('lines up as a table, without colours where there is no terminal', async () => {
    const { stdout } = await perennial(here, 'versions', 'recommender/all');
    const [title, head, newest, oldest] = stdout.split('\n');
    expect(title).toBe('recommender/all');
    expect(head).toMatch(/^version +status +verdict +metric +window +rows +trained/);
    expect(newest).toMatch(/^v2 +better +ndcg@10 0\.1000 +2018-01-01\.\.2018-10-01 +1,000/);
    expect(oldest).toMatch(/^v1 +champion +better/);
    expect(newest!.indexOf('better')).toBe(head!.indexOf('verdict'));
  });
});

describe('compare', () => {
  test('puts metrics, windows and what differs of two versions side by side', async () => {
    const { code, stdout } = await perennial(here, 'compare', 'recommender@1', 'recommender/month=10@1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sides: ['recommender/all@1', 'recommender/month=10@1'],
      metrics: [{ of: 'model', metric: 'ndcg@10', values: [0.1, 0.1] }],
      versions: [{ status: 'champion', trainer: { name: 'popularity' } }, { status: 'registered' }],
      differences: [],
    });
    const text = (await perennial(here, 'compare', 'recommender@1', 'recommender@2')).stdout;
    expect(text).toMatch(/ndcg@10 +0\.1000 +0\.1000 +\+0\.0000/);
    expect(text).toContain('Parameters, window, rows, sources and spec are the same.');
    // Nobody kept the marks of an exam that both sat.
    expect(await readFile(/^page: (.*)$/m.exec(text)![1]!, 'utf8')).toContain('or the marks of their exam are gone');
  });
});

describe('runs and show, of the archive alone', () => {
  test('list a run with its status, error and duration', async () => {
    const { runs } = await json('runs', 'recommender');
    expect(runs).toEqual([
      {
        ...run,
        model: 'recommender',
        status: 'failed',
        outcome: null,
        verdict: null,
        version: null,
        error: { code: 'SqlFailed', message: 'no such column' },
        startedAt: '2026-01-01T00:00:00.000Z',
        closedAt: '2026-01-01T00:00:12.000Z',
      },
    ]);
  });

  test.each(['recommender', 'recommender/all', run.workflowId, run.runId])('find it as %s', async (text) => {
    const shown = await json('show', text);
    expect(shown).toMatchObject({ runId: run.runId, status: 'failed', url: null });
    expect(shown.steps).toMatchObject([
      { step: 'snapshotSource', summary: 'read ratings', state: 'done', seconds: 0.25 },
      { step: 'buildRows', state: 'failed', error: 'no such column' },
    ]);
  });

  test('say on standard error when Temporal ought to be there and is not', async () => {
    const ran = await perennial({ ...here, env: { TEMPORAL_ADDRESS: '127.0.0.1:9' } }, 'runs', '--json');
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('Temporal does not answer at 127.0.0.1:9') });
    expect(JSON.parse(ran.stdout).runs).toHaveLength(1);
  });
});

describe('lineage', () => {
  test('of a version leads to its package, and back', async () => {
    const lineage = await json('lineage', 'recommender');
    expect(lineage.upstream).toMatchObject({ type: 'version', reference: 'recommender/all@1' });
    const back = await json('lineage', first.digest.slice(0, 8));
    expect(JSON.stringify(back.downstream)).toContain('recommender/all@1');
  });

  test('of a file tells what it was read into', async () => {
    const { downstream } = await json('lineage', 'ratings.csv');
    expect(downstream.edges).toMatchObject([{ as: 'snapshotSource', node: { type: 'artifact', by: { runId: run.runId } } }]);
  });

  test('of content that nobody knows fails', async () => {
    const ran = await perennial(here, 'lineage', 'abcdef0123');
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('[ArtifactMissing]') });
  });
});

test('explain-cache tells what a run made', async () => {
  expect(await json('explain-cache', 'recommender')).toMatchObject({ run, steps: [{ step: 'snapshotSource', how: 'made' }] });
});

test('train --plan tells candidates, rivals and steps, with settings made, and starts nothing', async () => {
  const plan = await json('train', 'recommender/month=10', '--plan', '--set', 'train.0.try.l2=[1,2,3]', '--window', '2025-10');
  expect(plan).toMatchObject({
    segment: 'month=10',
    window: { from: '2025-10-01', to: '2025-11-01' },
    candidates: [{ parameters: { l2: 1 } }, { parameters: { l2: 2 } }, { parameters: { l2: 3 } }],
    baselines: ['popularity', 'recent-popularity'],
    champion: null,
  });
});

test('apply --dry-run without Temporal tells which specs are new, and changes nothing', async () => {
  const planned = await json('apply', '--dry-run');
  expect(planned).toMatchObject({ applied: false, models: [{ model: 'recommender', spec: { change: 'create' }, schedule: null }] });
  expect((await shop.registry.state({ model: 'recommender', segment: 'all' })).applied).toBeUndefined();
});

describe('predict', () => {
  const ids = (answer: { items: { id: string }[] }) => answer.items.map(({ id }) => id);

  test('asks the version in the store, by user or by liked items, and names what it does not know', async () => {
    const asked = await json('predict', 'recommender', '--user', '7', '--count', '2');
    expect(asked).toMatchObject({ model: 'recommender', version: 1, digest: first.digest, known: true });
    expect(asked.items).toHaveLength(2);
    const ran = await perennial(here, 'predict', 'recommender', '--liked', '4,404', '--count', '3', '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({ known: false, unknown: ['404'] });
    expect(ran.stderr).toContain('unknown, and skipped: 404');
    expect(ids(await json('predict', 'top-movies', '--liked', ''))).toEqual(['2', '12', '9']);
  });

  test('takes a version that is no champion, a segment without one, and a request from standard input', async () => {
    expect(await json('predict', 'recommender@2', '--user', '7')).toMatchObject({ version: 2 });
    const fallback = await perennial(here, 'predict', 'recommender/month=10', '--user', '7', '--json');
    expect(JSON.parse(fallback.stdout)).toMatchObject({ segment: 'all', requestedSegment: 'month=10' });
    const input = JSON.stringify({ liked: ['4'], count: 4 });
    const piped = await perennial({ ...here, input }, 'predict', 'recommender', '--input', '-', '--json');
    expect(JSON.parse(piped.stdout).items).toHaveLength(4);
  });

  test('asks the store when the server that ought to run does not answer', async () => {
    const home = shop.folder;
    const temporal = { address: '127.0.0.1:9', namespace: 'default' };
    await writeRunning(home, { pid: process.pid, temporal, page: 'http://127.0.0.1:9', store: join(home, 'store'), home });
    try {
      const ran = await perennial(here, 'predict', 'top-movies', '--user', '7', '--json');
      expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('the store is asked instead') });
      expect(JSON.parse(ran.stdout)).toMatchObject({ model: 'top-movies', version: 1 });
    } finally {
      await rm(join(home, 'running.json'));
    }
  });
});

test('serve answers from the store alone, predict asks it, and Ctrl-C ends it with 0', async () => {
  const { child, printed } = await started<{ url: string }>(here, 'serve');
  const exited = once(child, 'exit');
  try {
    while (!(await fetch(`${printed.url}/ready`)).ok) await sleep(20);
    const home = shop.folder;
    const running = { pid: process.pid, temporal: { address: '', namespace: '' }, page: printed.url, store: join(home, 'store'), home };
    await writeRunning(home, running);
    expect(await json('predict', 'recommender', '--user', '7', '--count', '3')).toMatchObject({ version: 1, digest: first.digest, known: true });
    const unknown = await perennial(here, 'predict', 'recommendr', '--user', '7');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('[ModelUnknown]') });
  } finally {
    await rm(join(shop.folder, 'running.json'), { force: true });
    child.kill('SIGINT');
  }
  expect(await exited).toEqual([0, null]);
});

test('sample simulate writes the same bytes for the same seed', async () => {
  const options = ['--users', '20', '--films', '30', '--from', '2025-01-01', '--until', '2025-04-01', '--seed', '7'];
  const one = await json('sample', 'simulate', '--to', join(project, 'one'), ...options);
  const other = await json('sample', 'simulate', '--to', join(project, 'other'), ...options);
  expect(dirname(one.folder)).toBe(project);
  expect({ ...one, folder: '' }).toEqual({ ...other, folder: '' });
  expect(one).toMatchObject({ seed: 7, films: 30 });
});
