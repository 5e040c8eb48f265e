import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defineModel } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';
import { openSession } from '../../onnx/session.ts';
import { readMade } from '../../stores/artifact-store.ts';
import { compiled } from '../../workers/compiled.ts';
import { lives, noPackages } from '../trainers/python.ts';
import { startSystem, type TestSystem, until } from './harness.ts';

function deliveries(count: number): string {
  const draw = random('deliveries by python');
  const rows = Array.from({ length: count }, (_, id) => {
    const at = new Date(Date.UTC(2024, 0, 1) + id * 600_000).toISOString();
    const km = 1 + 9 * draw.next();
    const jam = ['low', 'high', ''][draw.below(3)]!;
    const minutes = 10 + km * (jam === 'high' ? 4 : 2) + 3 * draw.next();
    return [id, at, draw.below(10) === 0 ? '' : km.toFixed(3), jam, minutes.toFixed(2)].join(',');
  });
  return ['id,at,km,jam,minutes', ...rows].join('\n');
}

const columns = { id: 'key', at: 'time', km: 'number', jam: 'category', minutes: 'number' } as const;
const minutes = (script: string, parameters: Record<string, number>) =>
  defineModel({
    format: 1,
    name: `minutes-${script}`,
    task: 'regression',
    sources: { deliveries: { from: 'catalogue:/deliveries.csv', read: 'csv', key: ['id'], time: 'at', columns } },
    rows: { sql: 'SELECT * FROM deliveries', key: ['id'], time: 'at' },
    request: { at: 'time', km: 'number', jam: 'category' },
    target: { column: 'minutes' },
    split: { by: 'time', validation: '2d', test: '2d' },
    train: [{ trainer: 'python', with: { script, parameters } }],
    gate: { metric: 'rmse', baselines: ['constant'] },
    refit: 'none',
  });

const asked = 200;

/** The ready script, which also keeps LightGBM's own answers to the last rows that it was trained on. */
const own = (ready: string): string =>
  `${ready.replace('run.done(', 'known = dict(')}
run.done(**{**known, "facts": {"own": booster.predict(features[-${asked}:]).tolist()}})
`;

const endless = `
import os, perennial_trainer, time
run = perennial_trainer.start()
open(run.parameters["file"], "w").write(str(os.getpid()))
while True:
    run.progress(1, 10)
    time.sleep(0.1)
`;

const missing = await noPackages(['lightgbm']);
if (missing !== undefined) console.warn(`SKIPPED: a Python trainer in the whole system: ${missing}`);
const withPackages = missing === undefined ? describe : describe.skip;
const patienceMs = 300_000;

withPackages('a model that a Python script trains', () => {
  let data: string;
  let system: TestSystem;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'perennial-python-'));
    await writeFile(join(data, 'deliveries.csv'), deliveries(1440));
    // The harness serves ratings, too.
    await writeFile(join(data, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
    const ready = join(dirname(compiled('trainers/python')), 'python');
    const pipelines = join(data, 'pipelines');
    await mkdir(pipelines);
    await writeFile(join(pipelines, 'own.train.py'), own(readFileSync(join(ready, 'lightgbm.train.py'), 'utf8')));
    await cp(join(ready, 'requirements-lightgbm.lock'), join(pipelines, 'requirements-own.lock'));
    await writeFile(join(pipelines, 'endless.train.py'), endless);
    const trainScripts = ['own', 'endless'].map((name) => join(pipelines, `${name}.train.py`));
    system = await startSystem({ data, worker: { trainScripts } });
  }, patienceMs);
  afterAll(async () => {
    await system.close();
    await rm(data, { recursive: true, force: true });
  });

  test(
    'answers raw rows as LightGBM itself answers encoded ones, and its script and its libraries are inputs of it',
    async () => {
      const outcome = await (await system.client.train(minutes('own', { rounds: 50 }), {})).result();
      if (outcome.outcome !== 'promoted') throw new Error(JSON.stringify(outcome, null, 2));
      const made = await readMade(system.store);
      const record = made.find(
        ({ provenance, artifact }) => artifact.kind === 'model' && 'script' in provenance.inputs && isFinal(provenance.parameters),
      )!;
      expect(String(await system.blobs.readBytes(record.provenance.inputs['script']!))).toContain('import lightgbm');
      expect(String(await system.blobs.readBytes(record.provenance.inputs['requirements']!))).toContain('lightgbm==');
      expect(record.provenance.environment['python']).toMatch(/^3\.\d+$/);
      const trained = JSON.parse(String(await system.blobs.readBytes(record.artifact.sha256))) as {
        facts: { own: number[]; environment: Record<string, string> };
        onnx: { sha256: string };
      };
      expect(trained.facts.environment).toMatchObject({ lightgbm: expect.any(String), python: expect.any(String) });

      const session = await openSession(await system.blobs.open(trained.onnx.sha256));
      try {
        // The last two of ten days are the test rows.
        const raw = deliveries(1440)
          .split('\n')
          .slice(1 + 1152 - asked, 1 + 1152)
          .map((line) => line.split(','));
        const dims = [asked, 1];
        const { prediction } = await session.run({
          at: { type: 'int64', dims, data: BigInt64Array.from(raw, ([, at]) => BigInt(Date.parse(at!))) },
          km: { type: 'float64', dims, data: Float64Array.from(raw, ([, , km]) => (km === '' ? NaN : Number(km))) },
          jam: { type: 'string', dims, data: raw.map(([, , , jam]) => jam!) },
        });
        expect(trained.facts.own).toHaveLength(asked);
        trained.facts.own.forEach((value, at) => expect((prediction!.data as Float32Array)[at]).toBeCloseTo(value, 4));
      } finally {
        await session.release();
      }
    },
    patienceMs,
  );

  test(
    'leaves no process behind when its worker is killed with -9, nor when the run is cancelled',
    async () => {
      const file = join(data, 'pid');
      const started = () => until('the script runs', () => existsSync(file) && Number(readFileSync(file, 'utf8')), patienceMs);
      const run = await system.client.train(minutes('endless', { file: file as never }), {});
      const first = await started();
      await system.worker.kill();
      await until('it has gone with its worker', () => !lives(first), 5000);

      rmSync(file);
      await system.worker.start();
      const second = await started();
      await run.cancel();
      await expect(run.result()).rejects.toThrow();
      await until('it has gone with its run', () => !lives(second), 5000);
    },
    patienceMs,
  );
});

const isFinal = (parameters: unknown): boolean => (parameters as { validateOn: unknown }).validateOn === null;
