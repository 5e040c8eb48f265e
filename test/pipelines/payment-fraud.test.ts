import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { fit } from '../../activities/compute/fit.ts';
import { examine, type ExamineInput } from '../../activities/compute/examine.ts';
import { aggregateGroups, modelInputs } from '../../core/aggregates.ts';
import { binary } from '../../core/tasks/binary.ts';
import type { Marks } from '../../core/task.ts';
import { aggregatesSql } from '../../data/aggregates.ts';
import { withDuckdb } from '../../data/duckdb.ts';
import { loaderOf } from '../../data/loaders/index.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { buildRows } from '../../data/rows.ts';
import { viewSources } from '../../data/select.ts';
import { splitRows } from '../../data/split.ts';
import { paymentFraud } from '../../pipelines/payment-fraud/payment-fraud.ts';
import { contextOf, query, scratchFolder } from '../data/scratch.ts';
import { snapshotSource } from '../data/source.ts';
import { realData } from '../support/real-data.ts';

const folder = realData('fraud-handbook');
const oracle = JSON.parse(readFileSync(new URL('../oracles/fraud_features.json', import.meta.url), 'utf8')) as {
  readonly names: readonly string[];
  readonly totals: readonly number[];
  readonly tied: number;
  /** TRANSACTION_ID, and the features by `names`. */
  readonly rows: readonly (readonly number[])[];
};

(folder === undefined ? describe.skip : describe)('payment-fraud on the transactions of the handbook', () => {
  const scratch = scratchFolder();
  const snapshot = join(scratch, 'transactions.parquet');
  beforeAll(async () => {
    const source = paymentFraud.sources.transactions;
    const connections = { payments: { kind: 'folder', path: folder! } } as const;
    const readSecret = () => Promise.reject(new Error('a folder has no secret'));
    await snapshotSource({ name: 'transactions', source, connections, readSecret, out: snapshot, resume: scratch }, contextOf());
  }, 600_000);

  test('has the features that the handbook makes with pandas, payments of a card in the same second included', async () => {
    const out = join(scratch, 'features.parquet');
    await withDuckdb({ read: [snapshot], write: [out] }, contextOf(), async (db) => {
      await viewSources(db, { transactions: snapshot });
      await db.run(
        `COPY (${aggregatesSql('transactions', ['txId'], aggregateGroups(paymentFraud))}) TO '${out}' (FORMAT parquet, USE_TMP_FILE false)`,
      );
    });
    const { names, totals, tied, rows } = oracle;
    expect(tied).toBeGreaterThan(20);
    const [sums] = await query(`SELECT ${names.map((name) => `sum(${name}) AS ${name}`).join(', ')} FROM '${out}'`, out);
    for (const [at, name] of names.entries()) expect(Number(sums![name]) / totals[at]!).toBeCloseTo(1, 9);
    const found = new Map(
      (await query(`SELECT * FROM '${out}' WHERE txId IN (${rows.map(([id]) => `'${id}'`).join(', ')})`, out)).map((row) => [row['txId'], row]),
    );
    for (const [id, ...values] of rows) {
      for (const [at, name] of names.entries())
        expect({ id, name, value: Number(found.get(String(id))![name]) }).toEqual({ id, name, value: expect.closeTo(values[at]!, 9) });
    }
  }, 600_000);

  test('trained on the last week of July, tells frauds of the second week of August apart as a tuned library does', async () => {
    const rows = join(scratch, 'rows.parquet');
    await buildRows({ spec: paymentFraud, snapshots: { transactions: snapshot }, out: rows }, contextOf());
    const { key, time, group } = paymentFraud.rows;
    const [fold] = await splitRows({ rows, split: paymentFraud.split, key, time, folder: scratch }, contextOf());
    expect(fold!.parts).toMatchObject({ validation: 67_240, test: 58_264 });
    const files: RowFiles = {
      rows,
      split: fold!.path,
      parts: ['validation'],
      key,
      time,
      target: paymentFraud.target,
      table: { request: modelInputs(paymentFraud), encode: paymentFraud.encode, group },
    };
    const preprocessor = join(scratch, 'preprocessor.json');
    await loaderOf('binary').fit(files, undefined, preprocessor, contextOf());
    const figures = async (trainer: string, parameters: Record<string, number>) => {
      const [onnxPath, marksPath] = [join(scratch, `${trainer}.onnx`), join(scratch, `${trainer}.json`)];
      const context = {
        signal: new AbortController().signal,
        checkpoint: { load: async () => undefined, save: async () => {} },
        progress: async () => {},
      };
      const both = { task: 'binary', scratch, files, preprocessor, exam: {}, onnxPath } as const;
      await fit({ ...both, trainer, parameters, validateOn: null, metric: 'average-precision', seed: 1 }, context);
      await examine({ ...both, heldOut: 'test', fold: null, marksPath } satisfies ExamineInput, context);
      const marks = JSON.parse(readFileSync(marksPath, 'utf8')) as Marks;
      const of = (metric: keyof typeof binary.metrics) => binary.metrics[metric].of(marks)();
      return { auc: of('roc-auc'), ap: of('average-precision'), cards: of('card-precision@100') };
    };
    // What the week before the delay chose: trained on 11–17 July, best on 25–31 July.
    const boosted = await figures('gbdt', { rate: 0.02, columnShare: 0.5, leaves: 8, minRowsPerLeaf: 100, trees: 809 });
    const logistic = await figures('linear', {});
    process.stderr.write(`payment-fraud, one week: ${JSON.stringify({ boosted, logistic })}\n`);
    expect(boosted.auc).toBeGreaterThan(0.875);
    expect(boosted.ap).toBeGreaterThan(0.63);
    expect(boosted.cards).toBeGreaterThan(0.28);
    expect(logistic.ap).toBeCloseTo(0.605, 2);
    expect(logistic.ap).toBeLessThan(boosted.ap);
  }, 600_000);
});
