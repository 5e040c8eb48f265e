import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { SplitSpec } from '../../core/model-spec.ts';
import { encodeInteractions } from '../../data/encode.ts';
import { readItems, writeItems } from '../../data/items.ts';
import { checkLeak } from '../../data/leak.ts';
import { buildRows, type RowsInput } from '../../data/rows.ts';
import { splitRows } from '../../data/split.ts';
import { contextOf, parquetOf, query, rejection, scratchFolder } from './scratch.ts';

const source = { from: 'f:/x.csv', read: 'csv', key: ['u', 'i'], time: 't', columns: { u: 'key', i: 'key', v: 'number', t: 'time' } } as const;
const specOf = (sql: string): RowsInput['spec'] => ({ sources: { events: source }, rows: { sql, key: ['u', 'i'], time: 't' } });
/** Users 0 to 19 see items 1 to 15, one a day from 2024-01-01. */
const events = () =>
  parquetOf(`SELECT CAST(u AS VARCHAR) AS u, CAST(i AS VARCHAR) AS i, (i + u)::DOUBLE AS v, TIMESTAMP '2024-01-01' + INTERVAL (i - 1) DAY AS t
    FROM range(20) a(u), range(1, 16) b(i)`);

const lastPer: SplitSpec = { by: 'last-per', column: 'u', validation: 2, test: 3 };
const rolling: SplitSpec = { by: 'rolling-origin', from: '2024-01-08', to: '2024-01-10', every: '1d', horizon: '2d' };

async function folds(sql: string, split: SplitSpec, snapshots?: Record<string, string>) {
  const sources = snapshots ?? { events: await events() };
  const folder = scratchFolder();
  const rows = join(folder, 'rows.parquet');
  const { window } = await buildRows({ spec: specOf(sql), snapshots: sources, out: rows }, contextOf());
  return { rows, window, snapshots: sources, folds: await splitRows({ rows, split, key: ['u', 'i'], time: 't', folder }, contextOf()) };
}

describe('a split', () => {
  test('by the last per user breaks ties in time by key, whole numbers by value', async () => {
    const tied = await parquetOf(`SELECT 'a' AS u, unnest(['9', '10', '2', '1', '100', 'x']) AS i, 1.0::DOUBLE AS v, TIMESTAMP '2024-01-01' AS t`);
    const result = await folds('FROM events', { by: 'last-per', column: 'u', validation: 2, test: 2 }, { events: tied });
    const parts = await query(`SELECT i, part FROM '${result.folds[0]!.path}'`, result.folds[0]!.path);
    expect(Object.fromEntries(parts.map(({ i, part }) => [i, part]))).toEqual({
      x: 'test',
      '100': 'test',
      '10': 'validation',
      '9': 'validation',
      '2': 'train',
      '1': 'train',
    });
  });

  test('at rolling origins never trains on what comes after', async () => {
    const result = await folds('FROM events', rolling);
    expect(result.folds.map(({ name, parts }) => [name, parts])).toEqual([
      ['origin-2024-01-08', { train: 100, validation: 40, test: 40 }],
      ['origin-2024-01-09', { train: 120, validation: 40, test: 40 }],
      ['origin-2024-01-10', { train: 140, validation: 40, test: 40 }],
    ]);
  });

  test('by time holds the newest days out whole, and leaves what lies in a gap to no part', async () => {
    const { folds: divided } = await folds('FROM events', { by: 'time', validation: '2d', test: '3d', gap: '1d' });
    const [{ path, name, testFrom }] = divided as [(typeof divided)[number]];
    const parts = await query(
      `SELECT part, min(CAST(i AS INTEGER)) AS first, max(CAST(i AS INTEGER)) AS last FROM '${path}' GROUP BY part ORDER BY first`,
      path,
    );
    expect({ name, testFrom, parts: parts.map(({ part, first, last }) => [part, first, last]) }).toEqual({
      name: 'time',
      testFrom: '2024-01-13T00:00:00.000Z',
      parts: [
        ['train', 1, 8],
        ['validation', 10, 11],
        ['test', 13, 15],
      ],
    });
  });

  test('by share keeps the rows of one value together, those without one too, and of another segment no value moves', async () => {
    const owned = await parquetOf(`SELECT CAST(i AS VARCHAR) AS i, nullif('p' || i % 50, 'p7') AS owner FROM range(1000) t(i)`);
    const half = await parquetOf(`FROM '${owned}' WHERE CAST(i AS INTEGER) < 500`, [owned]);
    const partsOf = async (rows: string): Promise<readonly unknown[]> => {
      const split = { by: 'share', column: 'owner', validation: 0.2, test: 0.3 } as const;
      const [fold] = await splitRows({ rows, split, key: ['i'], folder: scratchFolder() }, contextOf());
      const { path } = fold!;
      return query(`SELECT owner, list(DISTINCT part) AS parts FROM '${rows}' JOIN '${path}' USING (i) GROUP BY owner ORDER BY owner`, rows, path);
    };
    const parts = await partsOf(owned);
    expect(parts).toHaveLength(50);
    expect(parts.every((row) => (row as { parts: readonly string[] }).parts.length === 1)).toBe(true);
    // SHA-256 of nothing begins with e3b0c442: 10 modulo 100.
    expect(parts.at(-1)).toEqual({ owner: null, parts: ['train'] });
    expect(await partsOf(half)).toEqual(parts);
  });

  test('has the same bytes each time, and another order of the source changes nothing', async () => {
    const original = await events();
    const shuffled = await parquetOf(`SELECT * FROM '${original}' ORDER BY hash(u || i)`, [original]);
    const [a, b] = [await folds('FROM events', lastPer), await folds('FROM events', lastPer, { events: shuffled })];
    expect(readFileSync(a.folds[0]!.path).equals(readFileSync(b.folds[0]!.path))).toBe(true);
  });

  test('that leaves nothing to train on or to test is refused', async () => {
    await rejection(folds('FROM events', { ...lastPer, test: 15 }), 'RowsInvalid');
    await rejection(folds('FROM events', { ...rolling, from: '2030-01-01', to: '2031-01-01', every: '1y' }), 'RowsInvalid');
    await rejection(folds('FROM events', { ...rolling, to: '2025-01-01', every: '1h' }), 'SpecInvalid');
    const rows = await events();
    await rejection(splitRows({ rows, split: lastPer, key: ['u', 'i'], folder: scratchFolder() }, contextOf()), 'SpecInvalid');
  });
});

describe('the leak check', () => {
  const honest =
    'SELECT u, i, v, t, count(*) OVER (PARTITION BY u ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier FROM events';
  const future = 'SELECT u, i, v, t, avg(v) OVER (PARTITION BY i) AS mean_of_item, max(t) OVER (PARTITION BY u) AS last_seen FROM events';

  test.each([
    ['the last per user', lastPer],
    ['rolling origins', rolling],
  ])('passes features of the past, and finds those of the future, with a split by %s', async (_, split) => {
    const good = await folds(honest, split);
    for (const fold of good.folds)
      expect((await checkLeak({ ...good, spec: specOf(honest), fold }, contextOf())).rows).toBe(fold.parts.train + fold.parts.validation);
    const bad = await folds(future, split);
    const error = await rejection(checkLeak({ ...bad, spec: specOf(future), fold: bad.folds[0]! }, contextOf()), 'LeakFound');
    expect(error.message).toContain('column "last_seen" differs in');
  });

  test.each([
    ['the last per user', lastPer, 'no source has the columns of rows.key'],
    ['rolling origins', rolling, 'no source has a time'],
  ])('does not pass what it cannot check with a split by %s', async (_, split, fault) => {
    const { time: _time, ...timeless } = source;
    const columns = { who: 'key', what: 'key' } as const;
    const spec = { ...specOf(honest), sources: { events: { ...timeless, key: ['who', 'what'], columns } } };
    const result = await folds(honest, split);
    expect((await rejection(checkLeak({ ...result, spec, fold: result.folds[0]! }, contextOf()), 'SpecInvalid')).message).toContain(fault);
  });

  test('takes numbers that differ by rounding for equal, and no others', async () => {
    const noisy = (by: string) => `SELECT u, i, v, t, v * (1 + (SELECT count(*) FROM events) * ${by}) AS near FROM events`;
    for (const [by, fault] of [
      ['1e-15', undefined],
      ['1e-9', 'column "near" differs'],
    ] as const) {
      const checked = folds(noisy(by), lastPer).then((result) =>
        checkLeak({ ...result, spec: specOf(noisy(by)), fold: result.folds[0]! }, contextOf()),
      );
      if (fault === undefined) expect((await checked).cut).toBe('key');
      else expect((await rejection(checked, 'LeakFound')).message).toContain(fault);
    }
  });

  test('finds rows that exist only because of the test rows', async () => {
    const sql = `SELECT * FROM events WHERE u IN (SELECT u FROM events GROUP BY u HAVING count(*) = 15)`;
    const result = await folds(sql, lastPer);
    const error = await rejection(checkLeak({ ...result, spec: specOf(sql), fold: result.folds[0]! }, contextOf()), 'LeakFound');
    expect(error.message).toContain('240 rows are missing');
  });
});

describe('encoding', () => {
  const target = { user: 'u', item: 'i', value: 'v', relevantFrom: 10 };

  test('decides users, items and their order by the fitted rows alone', async () => {
    const rows = await parquetOf(`SELECT * FROM (VALUES
      ('b', '10', 1.0::DOUBLE, TIMESTAMP '2024-01-01', 'train'), ('b', '9', 2.0, TIMESTAMP '2024-01-01', 'train'), ('a', '9', 3.0, TIMESTAMP '2024-01-02', 'train'),
      ('a', '10', 4.0, TIMESTAMP '2024-01-03', 'train'), ('a', '2', 5.0, TIMESTAMP '2024-01-03', 'validation'),
      ('A', '2', 6.0, TIMESTAMP '2024-01-04', 'test'), ('a', '7', 7.0, TIMESTAMP '2024-01-05', 'test'), ('a', '9', 8.0, TIMESTAMP '2024-01-05', 'test')) x(u, i, v, t, part)`);
    const key = ['u', 'i', 't'];
    const { known, heldOut } = await encodeInteractions({ rows, split: rows, key, time: 't', target, heldOut: 'test' }, contextOf());
    expect(known.userIds).toEqual(['a', 'b']);
    expect(known.catalogue.map(({ id }) => id)).toEqual(['9', '10']);
    expect([...known.users]).toEqual([1, 1, 0, 0]);
    expect([...known.items]).toEqual([0, 1, 0, 1]);
    expect([...known.values]).toEqual([2, 1, 3, 4]);
    expect(known.asOfMs).toBe(Date.UTC(2024, 0, 3));
    expect(heldOut!.userIds).toEqual(['a', 'b', 'A']);
    expect([...heldOut!.users]).toEqual([2, 0, 0]);
    expect([...heldOut!.items]).toEqual([-1, -1, 0]);
    const wider = await encodeInteractions({ rows, split: rows, key, time: 't', target, fitted: ['train', 'validation'] }, contextOf());
    expect(wider.known.users.length).toBe(5);
    expect(wider.heldOut).toBeUndefined();
  });

  test('without a split takes every row, and without a value counts 1', async () => {
    const { known } = await encodeInteractions(
      { rows: await events(), key: ['u', 'i'], time: 't', target: { user: 'u', item: 'i', relevantFrom: 1 } },
      contextOf(),
    );
    expect(known.users.length).toBe(300);
    expect(known.values.every((value) => value === 1)).toBe(true);
    expect(known.userIds.slice(0, 11)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  });

  test('writes a catalogue that is read back as it was', async () => {
    const path = join(scratchFolder(), 'items.json');
    const items = [{ id: '1', title: 'Amélie "ü" (2001)', categories: ['Comedy'] }];
    await writeItems(items, path);
    expect(await readItems(path)).toEqual(items);
    await rejection(readItems(await events()), 'PackageInvalid');
  });
});
