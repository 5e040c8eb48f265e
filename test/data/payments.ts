import { random } from '../../core/random.ts';
import type { RowsInput } from '../../data/rows.ts';
import { parquetOf } from './scratch.ts';

export interface Payment {
  readonly id: number;
  readonly ms: number;
  readonly customer: number | null;
  readonly terminal: number;
  readonly amount: number | null;
  readonly fraud: boolean;
}

/** Payments at quarters of an hour, so that many share their time, or lie where a window begins or ends; a few belong to nobody or have no amount. */
export function payments(count: number): Payment[] {
  const draw = random('payments');
  let ms = Date.UTC(2024, 0, 1);
  return Array.from({ length: count }, (_, id) => {
    ms += draw.below(3) * 900_000;
    return {
      id,
      ms,
      customer: draw.below(50) === 0 ? null : draw.below(3),
      terminal: draw.below(4),
      amount: draw.below(20) === 0 ? null : draw.below(8000) / 64,
      fraud: draw.below(10) === 0,
    };
  });
}

export const snapshotOf = (rows: readonly Payment[]): Promise<string> =>
  parquetOf(
    `SELECT * FROM (VALUES ${rows
      .map(
        ({ id, ms, customer, terminal, amount, fraud }) =>
          `('${id}', make_timestamp(${ms * 1000}), ${customer === null ? 'NULL::VARCHAR' : `'c${customer}'`}, 't${terminal}', ${amount ?? 'NULL'}::DOUBLE, ${fraud})`,
      )
      .join(', ')}) v(id, "at", customerId, terminalId, amount, fraud) ORDER BY hash(id)`,
  );

/** Windows with and without a delay, over payments. */
export const spec = {
  sources: {
    payments: {
      from: 'f:/payments.parquet',
      read: 'parquet',
      key: ['id'],
      time: 'at',
      columns: { id: 'key', at: 'time', customerId: 'key', terminalId: 'key', amount: 'number', fraud: 'flag' },
    },
  },
  aggregates: {
    customer: { from: 'payments', by: 'customerId', over: ['1h', '1d'], make: { count: 'count(*)', mean: 'avg(amount)', sum: 'sum(amount)' } },
    terminal: { from: 'payments', by: 'terminalId', over: ['1d', '3d'], delay: '12h', make: { count: 'count(*)', risk: 'avg(fraud)' } },
  },
  rows: { sql: 'SELECT * FROM payments', key: ['id'], time: 'at' },
} as const satisfies RowsInput['spec'];
