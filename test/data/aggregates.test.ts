import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aggregateGroups } from '../../core/aggregates.ts';
import { checkLeak } from '../../data/leak.ts';
import { buildRows, type RowsInput } from '../../data/rows.ts';
import { splitRows } from '../../data/split.ts';
import { type Payment, payments, snapshotOf, spec } from './payments.ts';
import { contextOf, query, rejection, scratchFolder } from './scratch.ts';

const hourMs = 3_600_000;

/** The definition, written as a loop over all rows: slow, and plain to see through. */
function expected(all: readonly Payment[], row: Payment): Record<string, number> {
  const within = (of: 'customer' | 'terminal', overMs: number, delayMs: number): Payment[] =>
    all.filter(
      (other) =>
        row[of] !== null &&
        other[of] === row[of] &&
        other.ms > row.ms - delayMs - overMs &&
        other.ms <= row.ms - delayMs &&
        (delayMs > 0 || other.ms < row.ms || other.id <= row.id),
    );
  const features: Record<string, number> = {};
  for (const [span, overMs] of [['1h', hourMs] as const, ['1d', 24 * hourMs] as const]) {
    const rows = within('customer', overMs, 0);
    const amounts = rows.flatMap(({ amount }) => (amount === null ? [] : [amount]));
    const sum = amounts.reduce((a, b) => a + b, 0);
    Object.assign(features, {
      [`customer_count_${span}`]: rows.length,
      [`customer_mean_${span}`]: amounts.length === 0 ? 0 : sum / amounts.length,
      [`customer_sum_${span}`]: sum,
    });
  }
  for (const [span, overMs] of [['1d', 24 * hourMs] as const, ['3d', 72 * hourMs] as const]) {
    const rows = within('terminal', overMs, 12 * hourMs);
    const frauds = rows.filter(({ fraud }) => fraud).length;
    Object.assign(features, { [`terminal_count_${span}`]: rows.length, [`terminal_risk_${span}`]: rows.length === 0 ? 0 : frauds / rows.length });
  }
  return features;
}

async function rowsOf(snapshot: string, changes: Partial<RowsInput['spec']> = {}) {
  const out = join(scratchFolder(), 'rows.parquet');
  const facts = await buildRows({ spec: { ...spec, ...changes }, snapshots: { payments: snapshot }, out }, contextOf());
  return { out, facts };
}

const names = aggregateGroups(spec).flatMap(({ features }) => features.map(({ name }) => name));

async function featuresOf(snapshot: string): Promise<Map<number, Record<string, number>>> {
  const { out } = await rowsOf(snapshot);
  const rows = await query(`SELECT id, ${names.join(', ')} FROM '${out}'`, out);
  return new Map(rows.map((row) => [Number(row['id']), Object.fromEntries(names.map((name) => [name, Number(row[name])]))]));
}

describe('aggregates', () => {
  test('are what a loop over all rows gives: ties in the order of keys, delays, rows of nobody and rows without a value', async () => {
    const all = payments(1500);
    expect(new Set(all.map(({ ms }) => ms)).size).toBeLessThan(1100);
    const features = await featuresOf(await snapshotOf(all));
    expect(features.size).toBe(1500);
    // Amounts are of 64ths, so that their sums are exact in any order.
    for (const row of all) expect({ id: row.id, ...features.get(row.id) }).toEqual({ id: row.id, ...expected(all, row) });
  });

  test('know a label no sooner than its delay: when one moves, only later rows of its terminal change', async () => {
    const all = payments(600);
    const moved = all[200]!;
    const [before, after] = [
      await featuresOf(await snapshotOf(all)),
      await featuresOf(await snapshotOf(all.map((row) => (row === moved ? { ...row, fraud: !row.fraud } : row)))),
    ];
    const changed = all.filter(({ id }) => JSON.stringify(before.get(id)) !== JSON.stringify(after.get(id)));
    expect(changed.length).toBeGreaterThan(10);
    for (const { ms, terminal } of changed) {
      expect(terminal).toBe(moved.terminal);
      expect(ms).toBeGreaterThanOrEqual(moved.ms + 12 * hourMs);
      expect(ms).toBeLessThan(moved.ms + (12 + 72) * hourMs);
    }
  });

  test('count what rows.sql leaves out, and what was before the window', async () => {
    const all = payments(600);
    const window = { from: new Date(all[300]!.ms).toISOString(), to: new Date(all[599]!.ms).toISOString() };
    const { out } = await rowsOf(await snapshotOf(all), {
      window,
      rows: { ...spec.rows, sql: `SELECT id, "at", amount FROM payments WHERE terminalId = 't1'` },
    });
    const rows = await query(`SELECT * FROM '${out}'`, out);
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(row).toMatchObject(expected(all, all[Number(row['id'])]!));
  });

  test('survive the leak check: no row of the past looks at what it is examined on', async () => {
    const snapshot = await snapshotOf(payments(1500));
    const { out, facts } = await rowsOf(snapshot);
    const split = { by: 'time', validation: '2d', test: '2d', gap: '1d' } as const;
    const [fold] = await splitRows({ rows: out, split, key: ['id'], time: 'at', folder: scratchFolder() }, contextOf());
    const report = await checkLeak({ spec, snapshots: { payments: snapshot }, rows: out, window: facts.window, fold: fold! }, contextOf());
    // Rows of the gaps are in no part, and are compared.
    expect(report.cut).toBe('time');
    expect(report.rows).toBeGreaterThan(fold!.parts.train + fold!.parts.validation);
  });

  test.each([
    ['no key of the source', `SELECT "at", id AS other FROM payments`, { key: ['other'] }, 'gives no column "id", by which aggregates of "payments"'],
    ['a column named as a feature', 'SELECT *, 1.0 AS terminal_risk_3d FROM payments', {}, 'gives "terminal_risk_3d", which aggregates make'],
    ['another key', `SELECT * REPLACE ('x' || id AS id) FROM payments`, {}, '10 rows have a key (id) that no row of "payments" has'],
  ])('are refused to rows with %s', async (_, sql, changes, fault) => {
    const rows = { ...spec.rows, sql, ...changes };
    expect((await rejection(rowsOf(await snapshotOf(payments(10)), { rows }), 'RowsInvalid')).message).toContain(fault);
  });
});
