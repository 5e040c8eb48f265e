import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Evaluation } from '../../core/evaluation.ts';
import type { ModelSpec, SourceSpec } from '../../core/model-spec.ts';
import { mapValues } from '../../core/map-values.ts';
import type { TrainOutcome } from '../../core/run.ts';
import { parquet } from '../../data/parquet.ts';
import { encryptInputs } from '../../pipelines/readmission/encrypt.ts';
import { readmission } from '../../pipelines/readmission/readmission.ts';
import { ageKeys } from '../data/encrypted.ts';
import { query } from '../data/scratch.ts';
import { readMade } from '../../stores/artifact-store.ts';
import { realData } from '../support/real-data.ts';
import { startSystem, type TestSystem } from '../workflows/harness.ts';

const hospital = realData('health-diabetes-130');

/** The same files with ids as they are, so that the split hashes patient numbers, as the published figures did. Nothing but a test should. */
const asPublished = {
  ...readmission,
  name: 'readmission-as-published',
  sources: mapValues<SourceSpec, SourceSpec>(readmission.sources, (source) => ({
    ...source,
    columns: mapValues(source.columns, (column) => {
      if (typeof column === 'string') return column;
      const { pseudonym: _, ...rest } = column;
      return rest;
    }),
  })),
} as ModelSpec;

(hospital === undefined ? describe.skip : describe)('readmission', () => {
  let data: string;
  let system: TestSystem;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'perennial-readmission-'));
    const keys = await ageKeys();
    await encryptInputs(join(hospital!, 'dataset_diabetes.zip'), data, keys.recipient);
    await writeFile(join(data, 'identity.key'), keys.identity);
    // The key decides who is in the exam: a new one each time would be another exam each time.
    await writeFile(join(data, 'pseudonyms.key'), Buffer.alloc(32, 'readmission').toString('base64'));
    await writeFile(join(data, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
    const connection = {
      kind: 'folder',
      path: data,
      identity: { file: join(data, 'identity.key') },
      pseudonymKey: { file: join(data, 'pseudonyms.key') },
    } as const;
    system = await startSystem({ data, worker: { connections: { hospital: connection } } });
  }, 240_000);
  afterAll(async () => {
    await system?.close();
    await rm(data, { recursive: true, force: true });
  });

  async function trained(spec: ModelSpec): Promise<{ outcome: Exclude<TrainOutcome, { outcome: 'unchanged' }>; evaluation: Evaluation }> {
    const outcome = await (await system.client.train(spec, {})).result();
    if (outcome.outcome === 'unchanged') throw new Error(JSON.stringify(outcome));
    const evaluation = JSON.parse(String(await system.blobs.readBytes(outcome.evaluation.sha256))) as Evaluation;
    const figures = mapValues(evaluation.contenders, ({ metrics }) => mapValues(metrics, ({ value }) => value));
    process.stderr.write(
      `${spec.name}, ${evaluation.units} stays: ${JSON.stringify(figures)}\n${JSON.stringify(outcome.verdict, null, 1)}\n${JSON.stringify(evaluation.contenders['challenger']!.slices)}\n`,
    );
    return { outcome, evaluation };
  }

  /** The file that a step of the run with pseudonyms made. */
  async function pathOf(step: string): Promise<string> {
    const made = await readMade(system.store);
    const { artifact } = made.find(({ provenance, by }) => provenance.step === step && by.workflowId === `train/${readmission.name}/all`)!;
    return system.blobs.open(artifact.sha256);
  }

  const figure = ({ contenders }: Evaluation, contender: string, metric: string): number => contenders[contender]!.metrics[metric]!.value;

  test('by pseudonyms trains as well, with nobody on both sides of the split, and holds every group of patients to a floor', async () => {
    const { outcome, evaluation } = await trained(readmission);
    expect(outcome.verdict.name).toBe('better');
    const [rows, split] = [await pathOf('buildRows'), await pathOf('splitRows')];
    const across = `SELECT patientId FROM ${parquet(rows)} JOIN ${parquet(split)} USING (encounterId) GROUP BY patientId HAVING count(DISTINCT part) > 1`;
    expect(await query(across, rows, split)).toEqual([]);
    const [sample] = await query(`SELECT patientId, encounterId FROM ${parquet(rows)} LIMIT 1`, rows);
    expect(sample).toEqual({ patientId: expect.stringMatching(/^[0-9a-f]{32}$/), encounterId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(figure(evaluation, 'challenger', 'roc-auc')).toBeGreaterThan(0.65);
    expect(figure(evaluation, 'challenger', 'ece')).toBeLessThan(0.01);
    const slices = evaluation.contenders['challenger']!.slices;
    for (const group of ['race=Caucasian', 'race=AfricanAmerican', 'gender=Female', 'gender=Male', 'age=[70-80)']) {
      expect(slices[group]!.metrics['ece']).toBeLessThan(0.03);
    }
  }, 600_000);

  test('on the published split ranks as a strong library does, better than a logistic regression, and knows how sure it is', async () => {
    const { outcome, evaluation } = await trained(asPublished);
    expect(evaluation.units).toBe(19_745);
    expect(outcome.verdict.name).toBe('better');
    expect(figure(evaluation, 'challenger', 'roc-auc')).toBeGreaterThan(0.667);
    expect(figure(evaluation, 'challenger', 'ece')).toBeLessThan(0.01);
  }, 600_000);
});
