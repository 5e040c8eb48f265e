import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunHandle } from '../../client/index.ts';
import type { TrainOutcome } from '../../core/run.ts';
import { commands, ease, isAlive, pending, recommender, slow, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

/** Page 3 of the ratings is answered with "try again in two seconds". */
const faults = { status: { 3: 503 }, retryAfter: '2' };
const pageSize = 2000;

let [disturbed, calm]: TestSystem[] = [];

beforeAll(async () => {
  disturbed = await startSystem({ computeSlots: 1, faults, pageSize });
  calm = await startSystem({ computeSlots: 1, pageSize, data: disturbed.data });
}, 120_000);
afterAll(async () => {
  await disturbed?.close();
  await calm?.close();
});

const spec = recommender('durable', { train: [slow(200), slow(120), ease] });

test('a run whose worker and training are killed at five points ends by itself with the same package, and is registered once', async () => {
  const undisturbed = await calm!.client.train(spec);
  const { client, worker, api } = disturbed!;
  const run = await client.train(spec);

  const stepsNow = async () => (await run.progress()).steps;
  const waitsFor = async (step: string) => (await pending(client, run.workflowId)).includes(step);
  const trained = async () => (await stepsNow()).filter(({ step, state }) => step === 'trainModel' && state === 'done').length;
  const checkpoints = async () => {
    for await (const { key } of disturbed!.store.list('checkpoints/')) return key;
    return undefined;
  };
  const killed: string[] = [];
  const killAt = async (point: string, reached: () => Promise<boolean>) => {
    await until(point, reached);
    killed.push(`${point}: ${(await pending(client, run.workflowId)).join(', ')}`);
    await worker.kill();
    await worker.start();
  };

  await killAt('a source is being read', async () => (await waitsFor('snapshotSource')) && api.requests() >= 3);
  await until('the first training has left a checkpoint', checkpoints);
  const [child] = worker.children();
  process.kill(child!, 'SIGKILL');
  await until('the training goes on in another process', () => !isAlive(child!) && worker.children().length > 0);
  await killAt('a training is on its way', () => waitsFor('trainModel'));
  await killAt('one training is done and another is not', async () => (await trained()) > 0 && (await waitsFor('trainModel')));
  await killAt('the exam is sat', () => waitsFor('predictModel'));
  await killAt('only the registration is left', async () => (await waitsFor('writeReport')) || (await waitsFor('register')));

  const outcome = (await run.result()) as Extract<TrainOutcome, { package: unknown }>;
  const expected = (await (undisturbed as RunHandle<typeof outcome>).result()) as typeof outcome;
  process.stderr.write(`${killed.join('\n')}\n`);
  expect(outcome.package.sha256).toBe(expected.package.sha256);
  expect(outcome.evaluation.sha256).toBe(expected.evaluation.sha256);
  expect(await commands(disturbed!, 'durable')).toEqual(await commands(calm!, 'durable'));
  expect(await commands(disturbed!, 'durable')).toEqual(['registered', 'judged', 'promoted']);
  // A model that is kept needs no checkpoint any more.
  expect(await checkpoints()).toBeUndefined();
  // No page was read twice: five pages, and the one that was refused.
  expect(api.requests()).toBeLessThanOrEqual(calm!.api.requests() + 2);
}, 240_000);

test('a worker that is stopped in mid-training hands the training to the next one', async () => {
  const { client, worker } = disturbed!;
  const run = await client.train(recommender('handed-over', { train: [slow(200)] }));
  await until('it trains', async () => (await run.progress()).working.some(({ step, done = 0 }) => step === 'bpr' && done >= 1));
  await worker.stop();
  await worker.start();
  expect(await run.result()).toMatchObject({ outcome: 'promoted' });
}, 120_000);
