import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';
import { connect } from '../../client/index.ts';
import type { Running } from '../../workers/running.ts';
import { temporalBinary } from '../support/temporal.ts';
import { perennial, started } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

const config = `
import { defineConfig } from 'perennial-ml';
export default defineConfig({ connections: { files: { kind: 'folder', path: 'data' } } });
`;

const pipeline = `
import { defineModel } from 'perennial-ml';
export const films = defineModel({
  format: 1, name: 'films', task: 'recommendation',
  sources: {
    movies: { from: 'files:/movies.csv', read: 'csv', key: ['movieId'], columns: { movieId: 'key', title: 'text', genres: 'text' } },
    ratings: { from: 'files:/ratings.csv', read: 'csv', key: ['userId', 'movieId'], time: 'ratedAt',
      columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: { kind: 'time', named: 'timestamp', unit: 's' } } },
  },
  rows: { sql: 'SELECT userId, movieId, rating, ratedAt FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4, describe: { source: 'movies', title: 'title', categories: 'genres' } },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [50, 100] } }],
  gate: { metric: 'ndcg@10', baselines: [], champion: { rule: 'not-worse', margin: 1 } },
  retrain: { cron: '0 3 * * *', when: ['new-data'] },
});
`;

let here: Surroundings;
let removeProject: () => Promise<void>;
let dev: ChildProcess;
let temporal: Running['temporal'];

beforeAll(async () => {
  const { folder, remove } = await makeProject({ 'perennial.config.ts': config, 'pipelines/films.ts': pipeline });
  removeProject = remove;
  await simulateStreamingService(join(folder, 'data'), { seed: 3, users: 60, films: 60, from: '2025-01-01', to: '2025-07-01' });
  here = { project: folder, home: join(folder, '.perennial'), env: { TEMPORAL_CLI_PATH: await temporalBinary() } };
  const { child, printed } = await started<Running>(here, 'dev');
  [dev, temporal] = [child, printed.temporal];
}, 120_000);
afterAll(async () => {
  await stopDev();
  await removeProject();
});

async function stopDev(): Promise<unknown> {
  if (dev.exitCode !== null || dev.signalCode !== null) return dev.exitCode;
  const exited = once(dev, 'exit');
  dev.kill('SIGINT');
  return (await exited)[0];
}

async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await perennial(here, ...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** One story, in its order. */
describe('a project that runs', () => {
  test('has its closed runs archived by a schedule, before anything is applied', async () => {
    const client = await connect({ address: temporal.address, namespace: temporal.namespace });
    try {
      const { action } = await client.temporal.schedule.getHandle('sweep-lineage').describe();
      expect(action).toMatchObject({ workflowType: 'sweepLineage', taskQueue: client.taskQueue });
    } finally {
      await client.close();
    }
  });

  test('apply shows the difference, makes it so, and then has nothing to do', async () => {
    const planned = await json('apply', '--dry-run');
    expect(planned).toMatchObject({
      applied: false,
      models: [{ spec: { change: 'create' }, schedule: { change: 'create', after: { cron: '0 3 * * *' } } }],
    });
    const first = await perennial(here, 'apply');
    expect(first).toMatchObject({ code: 0, stdout: 'applied: 1 spec and 1 schedule changed\n' });
    expect(first.stderr).toContain('+ films: spec is new\n+ films: schedule "0 3 * * *"');
    expect((await json('apply')).models).toMatchObject([{ spec: { change: 'keep' }, schedule: { change: 'keep' } }]);
  });

  test('train says each step as it ends, and prints the verdict with links', async () => {
    const ran = await perennial(here, 'train', 'films');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^films\/all v1 is promoted: better/);
    expect(ran.stdout).toMatch(/report +http:\/\/127\.0\.0\.1:\d+\/reports\/films\/all\/1/);
    expect(ran.stdout).toMatch(/run +http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/train%2Ffilms%2Fall\//);
    for (const step of ['acceptSpec', 'trainModel', 'judge', 'register']) expect(ran.stderr).toContain(`✔ ${step}`);
  });

  test('a second training is unchanged, says so, and is known to runs and show', async () => {
    const again = await json('train', 'films');
    expect(again).toMatchObject({ outcome: 'unchanged', version: 1, run: { workflowId: 'train/films/all' }, reportAddress: null });
    const { runs } = await json('runs', 'films/all');
    expect(runs[0]).toMatchObject({ runId: again.run.runId, status: 'completed', outcome: 'unchanged', version: 1 });
    const shown = await json('show', 'films');
    expect(shown.runId).toBe(again.run.runId);
    expect(shown.steps.map(({ step, state }: { step: string; state: string }) => `${step} ${state}`)).toContain('trainModel done');
  });

  test('one changed parameter re-makes only what depends on it, and explain-cache names it', async () => {
    await json('train', 'films', '--set', 'train.0.try.l2=[50,100,200]');
    const { steps } = await json('explain-cache', 'films');
    const trained = steps.filter(({ step, how }: { step: string; how: string }) => step === 'trainModel' && how === 'made');
    const paths = trained.flatMap((each: { nearest: { differences: { path: string }[] } }) => each.nearest.differences.map(({ path }) => path));
    expect(paths).toContain('parameters.parameters.l2');
    const rows = steps.find(({ step }: { step: string }) => step === 'buildRows');
    expect(rows.how).toBe('reused');
  });

  test('a run that fails ends the command with 1, its code, and the run to look at', async () => {
    const ran = await perennial(here, 'train', 'films', '--set', 'rows.sql=SELECT * FROM nowhere', '--json');
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'SqlRefused' }, run: { workflowId: 'train/films/all' } });
    expect(ran.stderr).toMatch(/error \[SqlRefused\]: .*\nits steps: perennial show /);
  });

  test('a run that is left alone goes on; another request is refused, and cancel ends it', async () => {
    const many = `train.0.try.l2=${JSON.stringify(Array.from({ length: 200 }, (_, at) => at + 1))}`;
    const { run } = await json('train', 'films', '--set', many, '--detach');
    const other = await perennial(here, 'train', 'films');
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('[RunInProgress]') });
    expect(await json('show', 'films')).toMatchObject({ runId: run.runId, status: 'running' });
    expect(await json('cancel', 'films')).toMatchObject({ runId: run.runId, status: 'cancelled' });
    const again = await perennial(here, 'cancel', 'films');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('there is nothing to cancel') });
  });

  test('backfill trains each window, and ends with 1 if one of them failed', async () => {
    const ran = await perennial(here, 'backfill', 'films', '--windows', '2025-01-01..2025-04-01,2019-01', '--json');
    expect(ran.code).toBe(1);
    const { results } = JSON.parse(ran.stdout);
    expect(results).toMatchObject([
      { segment: 'all', window: { from: '2025-01-01', to: '2025-04-01' }, version: expect.any(Number) },
      { window: { from: '2019-01-01', to: '2019-02-01' }, outcome: 'failed', reason: expect.any(String) },
    ]);
  });

  test('every run that Temporal has could go on with the code at hand, and passes what its types take', async () => {
    const { replayed, broken, types } = await json('replay');
    expect(replayed).toBeGreaterThan(5);
    expect(broken).toEqual([]);
    expect(types.broken).toEqual([]);
    expect(types.compared).toBeGreaterThan(50);
  });

  test('Ctrl-C stops all of it, and without Temporal and its database the store tells the same', async () => {
    const { requestId, ...predicted } = await json('predict', 'films', '--liked', '1,2');
    const before = [await json('versions', 'films'), await json('lineage', 'films'), predicted];
    expect(await stopDev()).toBe(0);
    await rm(join(here.home, 'temporal'), { recursive: true });
    expect([await json('versions', 'films'), await json('lineage', 'films'), await json('predict', 'films', '--liked', '1,2')]).toEqual(before);
    // What the server had answered last it wrote down before it ended.
    const { answer, upstream } = await json('lineage', `prediction:${requestId}`);
    expect(answer).toMatchObject({ id: requestId, model: 'films', version: predicted.version, digest: predicted.digest });
    expect(upstream).toMatchObject({ type: 'version', reference: `films/all@${predicted.version}` });
    expect((await json('show', 'train/films/all')).steps.length).toBeGreaterThan(0);
    expect(await json('replay', 'films')).toMatchObject({ replayed: expect.any(Number), broken: [] });
  });
});
