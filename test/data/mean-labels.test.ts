import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { withDuckdb } from '../../data/duckdb.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { writeParquet } from '../../data/parquet.ts';
import { fitEncoding } from '../../data/table/fit-encoding.ts';
import { loadExamples } from '../../data/table/load-examples.ts';

let scratch: string;
beforeEach(async () => void (scratch = await mkdtemp(join(tmpdir(), 'perennial-mean-'))));
afterEach(() => rm(scratch, { recursive: true, force: true }));

/** Forty wards of ten patients of five visits each. A visit's label is that of its patient, and nothing of its ward. */
const visits = `SELECT CAST(v AS VARCHAR) AS visit, 'p' || (v // 5) AS patient, 'w' || (v // 50) AS ward, ((v // 5) * 7919 % 101) / 101 AS label FROM range(2000) t(v)`;

async function meanLabels(group: string | undefined) {
  const context = { signal: new AbortController().signal, scratch };
  const rows = join(scratch, 'rows.parquet');
  await withDuckdb({ write: [rows] }, context, (db) => writeParquet(db, visits, 'CAST(visit AS INTEGER)', rows));
  const files = { rows, split: rows, parts: 'all', key: ['visit'], time: null, target: { column: 'label' } } as unknown as RowFiles;
  const table = { request: { patient: 'category' }, encode: { patient: ['mean'] }, ...(group !== undefined && { group }) } as const;
  const encoding = await fitEncoding('regression', files, table, context);
  const { known } = await loadExamples(files, table, encoding, null, context);
  return { encoding, feature: known.features[0]!, labels: known.labels };
}

/** Pearson's correlation. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (of: (i: number) => number): number => Array.from(a).reduce((total, _, i) => total + of(i), 0);
  return sum((i) => (a[i]! - ma) * (b[i]! - mb)) / Math.sqrt(sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2) || 1);
}

test('a row of a group is encoded without all rows of its group, which would tell it its label', async () => {
  const apart = await meanLabels(undefined);
  expect(correlation(apart.feature, apart.labels)).toBeGreaterThan(0.9);
  const together = await meanLabels('patient');
  expect(Math.abs(correlation(together.feature, together.labels))).toBeLessThan(0.1);
});

test('held to what levels differ by: the weight of the prior is the variance within levels over that between them', async () => {
  const { encoding } = await meanLabels('patient');
  const [{ encoder }] = encoding.features as [(typeof encoding.features)[number]];
  // All visits of a patient have one label: nothing varies within a level.
  expect(encoder).toMatchObject({ by: 'mean', weight: 0 });
});
