import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { temporalBinary } from '../support/temporal.ts';
import { until } from '../workflows/harness.ts';
import { perennial, started } from './command.ts';
import type { Surroundings } from './command.ts';
import { initFromPackage } from './packed.ts';
import type { PackedProject } from './packed.ts';

let made: PackedProject;
let here: Surroundings;
let dev: ChildProcess;

beforeAll(async () => {
  made = await initFromPackage();
  here = { ...made.here, env: { TEMPORAL_CLI_PATH: await temporalBinary() } };
  dev = (await started(here, 'dev')).child;
}, 120_000);
afterAll(async () => {
  dev.kill('SIGINT');
  await once(dev, 'exit');
  await made.remove();
});

async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await perennial(here, ...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** One story, in its order. */
test('the model of a new project is promoted, because it beats popularity, and answers', async () => {
  expect(await json('train', 'film-recommender')).toMatchObject({ outcome: 'promoted', version: 1, verdict: { name: 'better' } });
  // The server hears of a promotion within a second or two.
  const ask = () => perennial(here, 'predict', 'film-recommender', '--liked', '1,5,9', '--count', '3', '--json');
  const { stdout } = await until('the model is served', () => ask().then((ran) => ran.code === 0 && ran));
  expect(JSON.parse(stdout)).toMatchObject({ version: 1, items: [{ rank: 1 }, { rank: 2 }, { rank: 3 }] });
}, 120_000);

test('its model of a table is promoted, because it beats a logistic regression, and answers rows', async () => {
  expect(await json('train', 'ticket-escalation')).toMatchObject({ outcome: 'promoted', version: 1, verdict: { name: 'better' } });
  const calm = { openedAt: '2025-06-02T10:00:00Z', plan: 'business', seats: 120, topic: 'bug', queue: 12, large: true };
  const input = JSON.stringify({ rows: [calm, { ...calm, openedAt: '2025-06-02T21:30:00Z' }, { large: false }] });
  const ask = () => perennial({ ...here, input }, 'predict', 'ticket-escalation', '--input', '-', '--json');
  const { stdout } = await until('the model is served', () => ask().then((ran) => ran.code === 0 && ran));
  const [byDay, byNight, unknown] = JSON.parse(stdout).predictions.map((each: { probability: number }) => each.probability);
  expect(byNight).toBeGreaterThan(2 * byDay);
  expect(unknown).toBeGreaterThan(0);
}, 120_000);

test('a workflow of its own runs beside ours, and waits for one of ours', async () => {
  await json('apply');
  const { result, run } = await json('run', 'trainAndTell', '{"model": "film-recommender"}', '--id', 'tell/film-recommender');
  expect(result).toEqual({ told: 'Nothing is new: version 1 of film-recommender stays.' });
  const { runs } = await json('runs');
  expect(runs).toEqual(
    expect.arrayContaining([expect.objectContaining({ workflowId: 'tell/film-recommender', runId: run.runId, status: 'completed' })]),
  );
}, 120_000);

test('a workflow that is not there is misuse, and those that are there are named', async () => {
  const ran = await perennial(here, 'run', 'trainAndTel');
  expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('this project has trainAndTell') });
});
