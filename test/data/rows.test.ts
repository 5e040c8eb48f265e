import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildRows, dataWindow, type RowsInput } from '../../data/rows.ts';
import { profile } from '../../data/profile.ts';
import { contextOf, parquetOf, query, rejection, scratchFolder } from './scratch.ts';

/** 400 orders in four cities over 400 days from 2023-01-01, at noon. */
const orders = () =>
  parquetOf(`SELECT CAST(i AS VARCHAR) AS id, ['Indo', 'São Paulo', 'KÖLN ', NULL][1 + i % 4] AS city, (i * 37 % 101)::DOUBLE AS minutes,
    TIMESTAMP '2023-01-01 12:00:00' + INTERVAL (i) DAY AS orderedAt FROM range(400) r(i)`);

const spec: RowsInput['spec'] = {
  sources: {
    orders: {
      from: 'f:/orders.csv',
      read: 'csv',
      key: ['id'],
      time: 'orderedAt',
      columns: { id: 'key', city: 'category', minutes: 'number', orderedAt: 'time' },
    },
  },
  rows: { sql: 'SELECT id, city, minutes, orderedAt FROM orders', key: ['id'], time: 'orderedAt' },
};

async function rowsOf(changes: Partial<RowsInput> = {}) {
  const out = join(scratchFolder(), 'rows.parquet');
  const snapshots = changes.snapshots ?? { orders: await orders() };
  return { out, facts: await buildRows({ spec, ...changes, snapshots, out }, contextOf()) };
}

describe('rows', () => {
  test('are all of the select, ordered by key, from the first to just after the last', async () => {
    const { out, facts } = await rowsOf();
    expect(facts).toMatchObject({ rows: 400, window: { from: '2023-01-01T12:00:00.000Z', to: '2024-02-04T12:00:00.001Z' } });
    expect((await query(`SELECT id FROM '${out}' LIMIT 3`, out)).map(({ id }) => id)).toEqual(['0', '1', '10']);
    expect(await dataWindow(out, 'orderedAt', contextOf())).toEqual(facts.window);
  });

  test('have the same bytes each time with two threads', async () => {
    const big = await parquetOf(
      `SELECT CAST(i AS VARCHAR) AS id, 'x' AS city, random() AS minutes, TIMESTAMP '2023-01-01' + INTERVAL (i) SECOND AS orderedAt FROM range(200000) r(i)`,
    );
    const [a, b] = [await rowsOf({ snapshots: { orders: big } }), await rowsOf({ snapshots: { orders: big } })];
    expect(readFileSync(a.out).equals(readFileSync(b.out))).toBe(true);
    const out = join(scratchFolder(), 'one-thread.parquet');
    await buildRows({ spec, snapshots: { orders: big }, out }, contextOf({ limits: { threads: 1 } }));
    expect(readFileSync(out).equals(readFileSync(a.out))).toBe(true);
  });

  test('of the last days count back from the newest row, not from the clock', async () => {
    const { facts } = await rowsOf({ spec: { ...spec, window: { last: '30d' } } });
    expect(facts).toMatchObject({ rows: 30, window: { from: '2024-01-05T12:00:00.001Z', to: '2024-02-04T12:00:00.001Z' } });
  });

  test('of a window include its start and exclude its end', async () => {
    const window = { from: '2023-01-02T12:00:00Z', to: '2023-01-05T12:00:00Z' };
    expect((await rowsOf({ spec: { ...spec, window } })).facts.rows).toBe(3);
    expect((await rowsOf({ window: { from: '2023-02-01', to: '2023-03-01' } })).facts.rows).toBe(28);
  });

  test('of a segment are those whose label it is', async () => {
    const byMonth = { ...spec, segments: { by: 'month-of-year(orderedAt)', only: [10, 12] } };
    expect((await rowsOf({ spec: byMonth, segment: 'month=10' })).facts.rows).toBe(31);
    expect((await rowsOf({ spec: byMonth, segment: 'month=1' })).facts.rows).toBe(62);
    expect((await rowsOf({ spec: byMonth, segment: 'all' })).facts.rows).toBe(400);
    const byCity = { ...spec, segments: { by: 'city', only: ['Indo', 'Köln', 'São Paulo'] } };
    expect((await rowsOf({ spec: byCity, segment: 'city=indo' })).facts.rows).toBe(100);
    expect((await rowsOf({ spec: byCity, segment: 'city=s-o-paulo' })).facts.rows).toBe(100);
    expect((await rowsOf({ spec: byCity, segment: 'city=k-ln' })).facts.rows).toBe(100);
    await rejection(rowsOf({ spec: byCity, segment: 'month=1' }), 'SpecInvalid');
  });

  test.each([
    ['a key that is not unique', 'SELECT city AS id, minutes, orderedAt FROM orders WHERE city IS NOT NULL', 'is not unique: 300 rows have 3 keys'],
    ['a missing key', `SELECT nullif(id, '7') AS id, orderedAt FROM orders`, 'have no id'],
    [
      'a column of another type',
      'SELECT id, CAST(minutes AS BIGINT) AS minutes, orderedAt FROM orders',
      'gives "minutes" as BIGINT, but the spec declares it as number (DOUBLE)',
    ],
    ['no key column', 'SELECT city, orderedAt FROM orders', 'gives no column "id"; it gives city, orderedAt'],
    ['a time that is text', 'SELECT id, CAST(orderedAt AS VARCHAR) AS orderedAt FROM orders', 'gives "orderedAt" as VARCHAR'],
    ['a missing time', `SELECT id, nullif(orderedAt, TIMESTAMP '2023-01-01 12:00:00') AS orderedAt FROM orders`, '1 rows have no orderedAt'],
    ['no rows', 'SELECT * FROM orders WHERE minutes > 1000', 'there are no rows in segment "all"'],
  ])('with %s are refused', async (_, sql, fault) => {
    expect((await rejection(rowsOf({ spec: { ...spec, rows: { ...spec.rows, sql } } }), 'RowsInvalid')).message).toContain(fault);
  });
});

describe('a profile', () => {
  test('leaves infinite and undefined numbers out of its figures', async () => {
    const path = await parquetOf(`SELECT unnest([1.0::DOUBLE, 3.0, 'nan', 'inf', NULL]) AS v, 'nan'::DOUBLE AS w`);
    const { columns } = await profile(path, contextOf());
    expect(columns[0]!.numbers).toMatchObject({ min: 1, max: 3, mean: 2 });
    expect(columns[1]!.numbers).toBeUndefined();
  });

  test('has exact counts, moments, quantiles and top values, the same each time', async () => {
    const { out } = await rowsOf();
    const first = await profile(out, contextOf());
    expect(await profile(out, contextOf())).toEqual(first);
    const [id, city, minutes, orderedAt] = first.columns;
    expect(id).toMatchObject({ name: 'id', count: 400, nulls: 0, distinct: 400 });
    expect(city).toMatchObject({
      nulls: 100,
      distinct: 3,
      top: [
        { value: 'Indo', count: 100 },
        { value: 'KÖLN ', count: 100 },
        { value: 'São Paulo', count: 100 },
      ],
    });
    // numpy: v = np.arange(400) * 37 % 101; v.mean(), v.std(ddof=1), np.quantile(v, [.01, .5, .99])
    expect(minutes!.numbers).toMatchObject({ min: 0, max: 100 });
    expect(minutes!.numbers!.mean).toBeCloseTo(49.91, 10);
    expect(minutes!.numbers!.std).toBeCloseTo(29.233086277937424, 9);
    expect([0, 6, 12].map((i) => minutes!.numbers!.quantiles[i])).toEqual([0.99, 50, 99.01]);
    expect(orderedAt!.numbers).toMatchObject({ min: Date.UTC(2023, 0, 1, 12), max: Date.UTC(2024, 1, 4, 12) });
  });
});
