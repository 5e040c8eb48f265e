import { expect, test } from '@jest/globals';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { fitEncoding } from '../../data/table/fit-encoding.ts';
import { contextOf, parquetOf, rejection } from './scratch.ts';

const table = { request: { km: 'number' } } as const;

/** A hundred rows, the last twenty of them test rows. */
async function files(label: string, parts: RowFiles['parts']): Promise<RowFiles> {
  const rows = await parquetOf(`SELECT CAST(i AS VARCHAR) AS id, i / 10 AS km, ${label} AS label FROM range(100) t(i)`);
  const split = await parquetOf(
    `SELECT CAST(i AS VARCHAR) AS id, CASE WHEN i < 60 THEN 'train' WHEN i < 80 THEN 'validation' ELSE 'test' END AS part FROM range(100) t(i)`,
  );
  return { rows, split, parts, key: ['id'], time: null, target: { column: 'label' }, table };
}

test.each([
  ['regression', '12.5', 'all 100 rows have the same label (12.5): there is nothing to learn'],
  ['binary', 'false', 'all 100 rows have the same label (false): there is nothing to learn'],
  ['multiclass', "'red'", 'all 100 rows have the same label (red): there is nothing to learn'],
] as const)('labels of a %s that are all the same are refused by name', async (kind, label, message) => {
  const error = await rejection(fitEncoding(kind, await files(label, 'all'), table, contextOf()), 'RowsInvalid');
  expect(error.message).toContain(message);
});

test.each([
  ['regression', 'CAST(i >= 80 AS DOUBLE)'],
  ['binary', 'i >= 80'],
] as const)('so are those of a %s that differ only in test rows', async (kind, label) => {
  const some = await files(label, ['train', 'validation']);
  const error = await rejection(fitEncoding(kind, some, table, contextOf()), 'RowsInvalid');
  expect(error.message).toContain('all 80 train and validation rows have the same label');
  await fitEncoding(kind, { ...some, parts: 'all' }, table, contextOf());
});

test('an input that rows.sql does not give is told with what was probably meant', async () => {
  const error = await rejection(fitEncoding('regression', await files('i / 3', 'all'), { request: { kmm: 'number' } }, contextOf()), 'RowsInvalid');
  expect(error.message).toBe('request names "kmm" (did you mean "km"?), which rows.sql does not give; it gives id, km, label');
});
