import { expect, test } from '@jest/globals';
import type { ModelSpec } from '../../core/model-spec.ts';
import { checkLeak } from '../../data/leak.ts';
import { always, buildRows } from '../../data/rows.ts';
import { splitRows } from '../../data/split.ts';
import { join } from 'node:path';
import { contextOf, parquetOf, rejection, scratchFolder } from './scratch.ts';

const columns = { id: 'key', a: 'number', b: 'category', c: 'category', y: 'number' } as const;

/** 2,000 rows: of fine columns, where no two are equal by chance, or of coarse ones, where many are. */
const fine = 'round(hash(i, 1) % 100000 / 1000, 3)';
const table = (a: string) =>
  `SELECT CAST(i AS VARCHAR) AS id, CAST(${a} AS DOUBLE) AS a, 'b' || hash(i, 2) % 5 AS b, 'c' || hash(i, 3) % 3 AS c, CAST(hash(i, 4) % 7 AS DOUBLE) AS y FROM range(2000) t(i)`;
/** So many of them come a second time, under another id. */
const twice = (select: string, of: number) =>
  `${select} UNION ALL SELECT * REPLACE ('again ' || id AS id) FROM (${select}) WHERE hash(id) % 100 < ${of}`;

async function checked(select: string, gate?: ModelSpec['gate'], more: Readonly<Record<string, 'category'>> = {}) {
  const source = { from: 'here:/things.csv', read: 'csv', key: ['id'], columns: { ...columns, ...more } } as const;
  const spec = {
    sources: { things: source },
    rows: { sql: 'SELECT * FROM things', key: ['id'] },
    request: { a: 'number', b: 'category', c: 'category', ...more },
    target: { column: 'y' },
    ...(gate && { gate }),
  } as const;
  const snapshots = { things: await parquetOf(select) };
  const rows = join(scratchFolder(), 'rows.parquet');
  await buildRows({ spec, snapshots, out: rows }, contextOf());
  const split = { by: 'share', validation: 0.2, test: 0.2 } as const;
  const [fold] = await splitRows({ rows, split, key: ['id'], folder: scratchFolder() }, contextOf());
  return checkLeak({ spec, snapshots, rows, window: always, fold: fold! }, contextOf());
}

test('rows that were entered twice, once on each side of a split, are told', async () => {
  const { message, facts } = await rejection(checked(twice(table(fine), 10)), 'LeakFound');
  expect(message).toMatch(/^test rows in training: \d+ of the \d+ test rows of fold "share" are copies of training or validation rows/);
  expect(message).toContain('gate.trusted.twins');
  expect(facts).toMatchObject({ reason: 'test-rows-in-training', fold: 'share' });
  // A tenth of the rows twice: of 400 test rows about 64 have their like among the 80 % of other rows.
  expect(facts['copies']).toBeGreaterThan(40);
  expect(facts['copies']).toBeLessThan(90);
});

test('rows of few and coarse columns are equal by chance, and pass', async () => {
  const { twins } = await checked(table('hash(i, 1) % 4'));
  expect(twins!.twins).toBeGreaterThan(0.5 * twins!.test);
  expect(twins!.byChance).toBeGreaterThan(0.9 * twins!.twins);
});

test('between fine and coarse, copies are told from what is equal by chance', async () => {
  const between = table('hash(i, 1) % 200');
  const { twins } = await checked(between);
  expect(Math.abs(twins!.twins - twins!.byChance)).toBeLessThan(3 * Math.sqrt(twins!.byChance));
  const { facts } = await rejection(checked(twice(between, 10)), 'LeakFound');
  expect(facts['copies']).toBeGreaterThan(25);
});

test('columns that follow from each other make nothing look rare', async () => {
  const places = `SELECT *, b || c AS town, 'of ' || b || c AS county FROM (${table('hash(i, 1) % 4')})`;
  const { twins } = await checked(places, undefined, { town: 'category', county: 'category' });
  expect(twins!.byChance).toBeGreaterThan(0.9 * twins!.twins);
});

test('a single copy is no reason to stop, and neither are many that a spec gives a reason for', async () => {
  const one = await checked(`${table(fine)} UNION ALL SELECT * REPLACE ('again' AS id) FROM (${table(fine)}) WHERE id = '7'`);
  expect(one.twins!.twins).toBeLessThan(2);
  const trusted = { metric: 'mae', trusted: { twins: 'machines repeat themselves, each time anew' } } as const;
  expect((await checked(twice(table(fine), 10), trusted)).twins!.twins).toBeGreaterThan(40);
});
