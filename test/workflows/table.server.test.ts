import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Evaluation } from '../../core/evaluation.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { TrainOutcome } from '../../core/run.ts';
import { readMade } from '../../stores/artifact-store.ts';
import { startPredictionServer } from '../../serving/index.ts';
import { bounded, called, deliveries, late, minutes, size } from './deliveries.ts';
import { startSystem, type TestSystem } from './harness.ts';

interface Answer {
  readonly predictions: readonly {
    readonly prediction?: number;
    readonly interval?: readonly [lower: number, upper: number];
    readonly probability?: number;
    readonly positive?: boolean;
    readonly probabilities?: Readonly<Record<string, number>>;
  }[];
}

const ready = async (url: string): Promise<void> => {
  while (!(await fetch(`${url}/ready`)).ok) await sleep(20);
};

async function askServer(url: string, path: string, body: object): Promise<{ status: number; body: Answer }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/models/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Answer };
}

describe('a model of a table', () => {
  let data: string;
  let system: TestSystem;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'perennial-table-'));
    await writeFile(join(data, 'deliveries.csv'), deliveries(4032));
    // The harness serves ratings, too.
    await writeFile(join(data, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
    system = await startSystem({ data });
  });
  afterAll(async () => {
    await system.close();
    await rm(data, { recursive: true, force: true });
  });

  async function trainedVersion(spec: ModelSpec): Promise<{ outcome: Exclude<TrainOutcome, { outcome: 'unchanged' }>; evaluation: Evaluation }> {
    const outcome = await (await system.client.train(spec, {})).result();
    if (outcome.outcome !== 'promoted') throw new Error(JSON.stringify(outcome, null, 2));
    return { outcome, evaluation: JSON.parse(String(await system.blobs.readBytes(outcome.evaluation.sha256))) as Evaluation };
  }

  test.each([minutes, late, size])(
    'of task $task beats its baselines on rows after those it was trained on, and is promoted',
    async (spec: ModelSpec) => {
      const { outcome, evaluation } = await trainedVersion(spec);
      expect(outcome.verdict.name).toBe('better');
      expect(evaluation.units).toBe(4 * 144);
      expect(Object.keys(evaluation.contenders['challenger']!.slices).toSorted()).toEqual(['jam=high', 'jam=low', 'jam=missing']);
    },
  );

  test('answers rows as callers write them over HTTP, whichever its task, and says what a row lacks', async () => {
    const server = await startPredictionServer({ registry: system.registry, blobs: system.blobs, followEveryMs: 20 });
    const ask = (path: string, body: object) => askServer(server.url, path, body);
    try {
      await ready(server.url);
      const jam = { at: '2024-01-20T18:00:00Z', km: 9, jam: 'high', courier: 'c1', rain: true };
      const rows = [jam, { ...jam, km: 2, jam: 'low', rain: false }, { rain: false }];
      const answered = await ask('minutes/predict', { rows });
      expect(answered.body).toMatchObject({ model: 'minutes', version: 1, requestedSegment: 'all' });
      const [long, short, unknown] = answered.body.predictions.map(({ prediction }) => prediction);
      expect([long! > 45, short! < 20, Number.isFinite(unknown)]).toEqual([true, true, true]);
      const many = await ask('minutes/predict', { rows: Array.from({ length: 10_000 }, () => jam) });
      expect([many.status, new Set(many.body.predictions.map(({ prediction }) => prediction)).size]).toEqual([200, 1]);
      const [isLate, isNot] = (await ask('late/predict', { rows })).body.predictions.map(({ probability }) => probability);
      expect([isLate! > 0.9, isNot! < 0.1]).toEqual([true, true]);
      const [{ probabilities }] = (await ask('size/predict', { rows })).body.predictions as [Answer['predictions'][number]];
      expect(Object.keys(probabilities!)).toEqual(['long', 'medium', 'short']);
      expect(probabilities!['long']).toBeGreaterThan(0.9);

      const refused = (error: string) => ({ status: 400, body: { code: 'RequestInvalid', error: expect.stringContaining(error) as unknown } });
      expect(await ask('minutes/predict', { rows: [jam, { ...jam, kn: 3 }] })).toMatchObject(
        refused('row 1: there is no input "kn"; there are at, km'),
      );
      expect(await ask('minutes/predict', { rows: [{ ...jam, km: 'far' }] })).toMatchObject(refused('row 0: "km" is "far": give a number'));
      expect(await ask('minutes/recommend', { liked: [] })).toMatchObject(refused('POST /v1/models/minutes/predict'));
    } finally {
      await server.close();
    }
  });

  test('of a regression with an interval is examined on it, and tells callers within which bounds the label is expected', async () => {
    const { outcome, evaluation } = await trainedVersion(bounded);
    const { challenger, constant } = evaluation.contenders;
    const { 'interval-coverage': coverage, 'interval-width': width } = challenger!.metrics;
    // What was learned from 576 validation rows holds on the 576 test rows after them.
    expect(coverage!.value).toBeGreaterThan(0.74);
    expect(coverage!.value).toBeLessThan(0.86);
    expect(Object.keys(challenger!.metrics)).toEqual(expect.arrayContaining(['pinball-lower', 'pinball-upper']));
    expect(Object.keys(challenger!.slices['jam=high']!.metrics)).toContain('interval-coverage');
    expect(Object.keys(constant!.metrics)).toEqual(['mae', 'r2', 'rmse']);
    expect(outcome.verdict.reasons).toContainEqual(
      expect.stringMatching(/^interval-coverage of all is 0\.\d+ over 576 units, at least the floor of 0\.7$/),
    );

    const server = await startPredictionServer({ registry: system.registry, blobs: system.blobs, followEveryMs: 20 });
    try {
      const jam = { at: '2024-01-20T18:00:00Z', km: 9, jam: 'high', courier: 'c1', rain: true };
      await ready(server.url);
      const { body } = await askServer(server.url, 'bounded/predict', { rows: [jam, { ...jam, km: 2, jam: 'low' }] });
      const [long, short] = body.predictions;
      for (const { prediction, interval } of [long!, short!]) {
        expect(interval![1] - prediction!).toBeCloseTo(width!.value / 2, 3);
        expect(prediction! - interval![0]).toBeCloseTo(width!.value / 2, 3);
      }
      expect(long!.interval![0]).toBeGreaterThan(short!.interval![1]);
    } finally {
      await server.close();
    }
  });

  test('of a binary task with a calibration and costs is examined on its calls, and tells callers of each row whether it is called positive', async () => {
    const { outcome, evaluation } = await trainedVersion(called);
    const { challenger, constant } = evaluation.contenders;
    const value = (metric: string): number => challenger!.metrics[metric]!.value;
    expect(value('cost')).toBeLessThan(Math.min(value('cost-all'), value('cost-none')) / 2);
    expect(value('savings')).toBeCloseTo(1 - value('cost') / Math.min(value('cost-all'), value('cost-none')), 9);
    // A missed one costs ten times as much, so that few are missed.
    expect(value('recall')).toBeGreaterThan(value('precision'));
    expect(value('ece')).toBeLessThan(value('ece-uncalibrated') / 2);
    expect(Object.keys(constant!.metrics)).not.toContain('cost');
    expect(outcome.verdict.reasons).toEqual(
      expect.arrayContaining([expect.stringMatching(/^savings of all is/), expect.stringMatching(/^recall of jam=high is/)]),
    );

    const timesMade = async (step: string): Promise<number> =>
      (await readMade(system.store)).filter(({ provenance }) => provenance.step === step).length;
    const [trained, finished] = [await timesMade('trainModel'), await timesMade('finishModel')];
    const dearer = await trainedVersion({
      ...called,
      threshold: { falsePositive: 1, falseNegative: 100 },
      gate: { ...called.gate, floors: [] },
    });
    expect([await timesMade('trainModel'), await timesMade('finishModel')]).toEqual([trained, finished + 1]);
    expect(dearer.evaluation.contenders['challenger']!.metrics['cost-none']!.value).toBeCloseTo(10 * value('cost-none'), 9);

    const server = await startPredictionServer({ registry: system.registry, blobs: system.blobs, followEveryMs: 20 });
    try {
      await ready(server.url);
      const jam = { at: '2024-01-20T18:00:00Z', km: 9, jam: 'high', courier: 'c1', rain: true };
      const { body } = await askServer(server.url, 'called/predict', { rows: [jam, { ...jam, km: 2, jam: 'low' }] });
      expect(body.predictions).toEqual([
        { probability: expect.closeTo(1, 1) as unknown, positive: true },
        { probability: expect.closeTo(0, 1) as unknown, positive: false },
      ]);
    } finally {
      await server.close();
    }
  });

  test('sits the exam of one that takes more than it, and is excused from that of one that takes something else', async () => {
    const taking = (request: NonNullable<ModelSpec['request']>): ModelSpec => ({
      ...minutes,
      name: 'growing',
      request,
      train: [{ trainer: 'linear' }],
    });
    const few = await trainedVersion(taking({ km: 'number', jam: 'category' }));
    expect(Object.keys(few.evaluation.contenders)).not.toContain('champion');
    const more = await trainedVersion(taking({ km: 'number', jam: 'category', rain: 'flag' }));
    expect(more.evaluation.gains.find(({ over }) => over === 'champion')!.low).toBeGreaterThan(0);

    const other = await (await system.client.train(taking({ km: 'number', jam: 'category', at: 'time' }), {})).result();
    expect(other).toMatchObject({ outcome: 'rejected', verdict: { name: 'not-comparable' } });
  });
});
