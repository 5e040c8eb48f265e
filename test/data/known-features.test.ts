import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aggregateGroups } from '../../core/aggregates.ts';
import { KeptRows, keptShapes, type KeptRow } from '../../core/features/kept-rows.ts';
import { type AskedRow, KnownFeatures } from '../../core/features/known-features.ts';
import { random } from '../../core/random.ts';
import { buildRows } from '../../data/rows.ts';
import { type Payment, payments, snapshotOf, spec } from './payments.ts';
import { contextOf, query, scratchFolder } from './scratch.ts';

const [shape] = keptShapes(spec);
const hourMs = 3_600_000;
const missing = Number.NaN;

/** `null`: as it is before anybody knows. */
const rowOf = ({ id, ms, customer, terminal, amount, fraud }: Payment, label: boolean | null = fraud): KeptRow => ({
  key: String(id),
  timeMs: ms,
  by: [customer === null ? null : `c${customer}`, `t${terminal}`],
  values: [amount ?? missing, label === null ? missing : Number(label)],
});
/** What a caller knows of a payment that it asks about. */
const askedOf = (payment: Payment): AskedRow => {
  const { key: _, ...asked } = rowOf(payment, null);
  return asked;
};

/** What SQL makes of all payments at once. */
async function offline(all: readonly Payment[]): Promise<ReadonlyMap<number, Record<string, number>>> {
  const out = join(scratchFolder(), 'rows.parquet');
  await buildRows({ spec, snapshots: { payments: await snapshotOf(all) }, out }, contextOf());
  const names = aggregateGroups(spec).flatMap(({ features }) => features.map(({ name }) => name));
  const rows = await query(`SELECT id, ${names.join(', ')} FROM '${out}'`, out);
  return new Map(rows.map((row) => [Number(row['id']), Object.fromEntries(names.map((name) => [name, Number(row[name])]))]));
}

function open() {
  const kept = new KeptRows(shape!);
  return { kept, known: new KnownFeatures(spec, kept) };
}

describe('features that a server knows', () => {
  const all = payments(3000);
  let ofSql: ReadonlyMap<number, Record<string, number>>;
  const expected = async (): Promise<ReadonlyMap<number, Record<string, number>>> => (ofSql ??= await offline(all));

  test('are what SQL makes of all rows, for each that is asked about before it is pushed', async () => {
    const { kept, known } = open();
    for (const payment of all) {
      expect({ id: payment.id, ...known.ask(askedOf(payment)) }).toEqual({ id: payment.id, ...(await expected()).get(payment.id) });
      expect(kept.put([rowOf(payment)])).toEqual(['added']);
    }
  });

  test('are the same where labels come days after their payment, each row comes twice, and some come late', async () => {
    const { kept, known } = open();
    const draw = random('delivery');
    const sql = await expected();
    /** A payment is there hours later at most, its label half a day later, and what a queue gives again in between takes neither away. */
    const news = all.flatMap((payment) => {
      const lateMs = draw.below(4) === 0 ? draw.below(5) * hourMs : 0;
      return [
        { ms: payment.ms + lateMs, row: rowOf(payment, null) },
        { ms: payment.ms + 12 * hourMs - 1, row: rowOf(payment) },
        { ms: payment.ms + 20 * hourMs, row: rowOf(payment, null) },
      ];
    });
    // Half a day later everything is known: asked about then, a row is still given what was known at its own time.
    const asks = all.map((payment) => ({ ms: payment.ms + 12 * hourMs, payment }));
    let asked = 0;
    for (const next of [...news, ...asks].toSorted((a, b) => a.ms - b.ms || Number('payment' in a) - Number('payment' in b))) {
      if ('row' in next) kept.put([next.row]);
      else {
        asked++;
        expect(known.ask(rowOf(next.payment))).toEqual(sql.get(next.payment.id));
      }
    }
    expect(asked).toBe(3000);
  });

  test('are the same after what no window holds was forgotten, and the rest was written down and read again', async () => {
    let { kept, known } = open();
    const sql = await expected();
    for (const [at, payment] of all.entries()) {
      expect(known.ask(askedOf(payment))).toEqual(sql.get(payment.id));
      kept.put([rowOf(payment)]);
      if (at % 700 > 0) continue;
      const rows = [...kept.sweep()].flat();
      // Four and a half days, of a month.
      expect(rows.length).toBeLessThan(2 * 1000);
      ({ kept, known } = open());
      kept.put(rows);
    }
  });

  test.each([1, 7, 3000])('are the same in whatever order rows come, %i together', async (together) => {
    const sql = await expected();
    const draw = random('order');
    const rows = all.map((payment) => rowOf(payment));
    const unlabelled = all.map((payment) => rowOf(payment, null));
    const inNoOrder = [...unlabelled, ...rows, ...unlabelled].map((row) => ({ row, place: draw.below(1e6) })).toSorted((a, b) => a.place - b.place);
    for (const coming of [rows, rows.toReversed(), inNoOrder.map(({ row }) => row)]) {
      const { kept, known } = open();
      for (let from = 0; from < coming.length; from += together) kept.put(coming.slice(from, from + together));
      // Of the last days: what is a month old came too late where the newest came first.
      for (const payment of all.slice(-20)) expect(known.ask(rowOf(payment))).toEqual(sql.get(payment.id));
    }
  });

  test('are told in seconds where 100,000 rows of one key come newest first, a thousand at a time', () => {
    const { kept, known } = open();
    const at = (id: number): Payment => ({ id, ms: id * 500, customer: 1, terminal: 1, amount: 0.1, fraud: false });
    for (let id = 100_000; id > 0; id -= 1000) kept.put(Array.from({ length: 1000 }, (_, before) => rowOf(at(id - before))));
    expect(known.ask(askedOf(at(100_001)))).toMatchObject({ customer_count_1d: 100_001, customer_sum_1d: 10_000.1, customer_count_1h: 7200 });
  }, 30_000);

  test('refuse rows that come later than a day, and say so of those that are asked about', () => {
    const { kept, known } = open();
    const [first] = all;
    kept.put([rowOf(all.at(-1)!)]);
    expect(kept.put([rowOf(first!)])).toEqual(['late']);
    expect(() => known.ask(askedOf(first!))).toThrow('more than a day before the newest row that was pushed');
  });

  test('do not drown in numbers that were many magnitudes larger', () => {
    const { kept, known } = open();
    const at = (hour: number, amount: number): Payment => ({ id: hour, ms: hour * hourMs, customer: 1, terminal: 1, amount, fraud: false });
    for (const payment of [at(1, 3e38), at(2, 1e20), at(40, 0.25)]) kept.put([rowOf(payment)]);
    expect(known.ask(askedOf(at(41, 0.25)))).toMatchObject({ customer_count_1d: 2, customer_sum_1d: 0.5, customer_mean_1d: 0.25 });
  });

  test('have sums of decimal fractions to the last digit, however many came before', () => {
    const { kept, known } = open();
    const at = (minute: number, amount: number): Payment => ({ id: minute, ms: minute * 60_000, customer: 1, terminal: 1, amount, fraud: false });
    for (let minute = 0; minute < 20_000; minute++) kept.put([rowOf(at(minute, 0.1))]);
    // 59 of the hour, and its own.
    expect(known.ask(askedOf(at(20_000, 0.1)))['customer_sum_1h']).toBe(6);
  });
});
