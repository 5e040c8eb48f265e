import { expect, test } from '@jest/globals';
import type { Examples } from '../../core/examples.ts';
import { exam, feedsTogether } from '../../core/tasks/table-exam.ts';
import { fitEncoding } from '../../data/table/fit-encoding.ts';
import type { TableSpec } from '../../data/table/rows.ts';
import { openSession } from '../../onnx/session.ts';
import { tablePrefix } from '../../onnx/table-prefix.ts';
import { model } from '../../onnx/writer.ts';
import { contextOf, parquetOf, rejection } from '../data/scratch.ts';
import { encodedRows } from './encoded-rows.ts';

const table: TableSpec = {
  request: { id: 'key', amount: 'number', items: 'integer', at: 'time', region: 'category', shop: 'category', express: 'flag' },
  encode: { at: ['hour', 'day-of-week', 'weekend', 'day', 'month'], region: ['code', 'mean'], shop: ['mean'] },
};

/**
 * A seventh of each column is missing; test rows have levels that training rows lack; times are down to the microsecond, half of them before 1970, some of
 * them just before midnight.
 */
const some = `SELECT 'r' || i AS id, CASE WHEN i % 7 > 0 THEN (hash(i, 1) % 2000000 - 1000000.0) / 997 END AS amount,
  CASE WHEN i % 7 <> 1 THEN CAST(hash(i, 2) % 40000000 AS BIGINT) - 20000000 END AS items,
  CASE WHEN i % 7 = 1 THEN make_timestamp(-86400000000 * i - 1) WHEN i % 7 <> 2 THEN make_timestamp(CAST(hash(i, 3) % 8000000000000000 AS BIGINT) - 4000000000000000) END AS at,
  CASE i % 7 WHEN 3 THEN NULL WHEN 4 THEN '' ELSE list_extract(['north', 'süd', '東', 'it''s', 'only once ' || i], CAST(hash(i, 4) % 5 + 1 AS BIGINT)) END AS region,
  CASE WHEN i % 7 <> 4 THEN (CASE WHEN i < 2000 OR i % 3 > 0 THEN 'shop ' ELSE 'SHOP ' END) || hash(i, 5) % 200 END AS shop,
  hash(i, 6) % 3 = 0 AS express,
  hash(i, 7) % 4 = 0 AS late, CASE WHEN i < 2000 THEN 'train' ELSE 'test' END AS part FROM range(3000) t(i)`;

/** The test rows, encoded by the training rows. */
const heldOut = async (rows: string): Promise<Examples> => (await encodedRows('binary', rows, 'late', table)).heldOut;

test('the graph makes of raw rows what DuckDB makes of them for trainers: missing, unseen and rare ones, times before 1970', async () => {
  const examples = await heldOut(some);
  const prefix = tablePrefix(examples.encoding);
  const session = await openSession(model(prefix));
  const { data } = (await session.run(feedsTogether(exam(examples, examples).questions)))['features']!;
  await session.release();
  const { features, labels } = examples;
  expect(labels).toHaveLength(1000);
  expect(features).toHaveLength(11);
  for (const [column, { name }] of examples.encoding.features.entries()) {
    const made = Array.from(labels, (_, row) => (data as Float32Array)[row * features.length + column]);
    expect([name, made]).toEqual([name, Array.from(features[column]!)]);
  }
});

test.each([
  ['amount', `CASE WHEN i = 5 THEN 1.0 / 0 ELSE amount END`],
  ['amount', `CASE WHEN i = 2999 THEN 1e39 ELSE amount END`],
])('a number %s beyond float32 is refused with its cure (%s)', async (column, sql) => {
  const rows = `SELECT * EXCLUDE i REPLACE (CAST(${sql} AS DOUBLE) AS ${column}) FROM (SELECT *, CAST(id[2:] AS BIGINT) AS i FROM (${some}))`;
  expect((await rejection(heldOut(rows), 'RowsInvalid')).message).toMatch(
    /^1 rows have a "amount" that is infinite or beyond 3\.4e38.*nullif\(divisor, 0\)/,
  );
});

test('a number to be predicted that is none is refused', async () => {
  const rows = await parquetOf(
    `SELECT 'r' || i AS id, i::DOUBLE AS amount, CASE WHEN i < 3 THEN 'nan'::DOUBLE ELSE i END AS cost FROM range(50) t(i)`,
  );
  const files = {
    rows,
    split: rows,
    parts: 'all' as const,
    key: ['id'],
    time: null,
    target: { column: 'cost' },
    table: { request: { amount: 'number' } } as const,
  };
  const error = await rejection(fitEncoding('regression', files, files.table, contextOf()), 'RowsInvalid');
  expect(error.message).toBe('3 of 50 rows have a cost that is NaN or infinite: leave them out in rows.sql');
});

test('a flag that is missing is refused before anything is learned from it, since no caller can send one', async () => {
  const error = await rejection(
    heldOut(`SELECT * REPLACE (nullif(express, i % 7 = 5) AS express) FROM (SELECT *, CAST(id[2:] AS BIGINT) AS i FROM (${some}))`),
    'RowsInvalid',
  );
  expect(error.message).toMatch(/rows have no "express", but a flag is always sent: write coalesce\(express, false\) in rows\.sql/);
});
