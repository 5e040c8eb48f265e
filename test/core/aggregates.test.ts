import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { aggregateGroups, modelInputs, parseAggregate } from '../../core/aggregates.ts';
import { MlError } from '../../core/errors.ts';
import { defineModel } from '../../core/model-spec.ts';
import type { SpecFault } from '../../core/spec-faults.ts';
import { parseSpec } from '../../core/spec-schema.ts';
import { tasks } from '../../core/tasks/index.ts';
import '../../trainers/index.ts';

const fragments = { tasks, trainers: { gbdt: z.strictObject({}) } };

const base = {
  format: 1,
  name: 'payment-fraud',
  task: 'binary',
  sources: {
    transactions: {
      from: 'payments:/transactions-*.parquet',
      read: 'parquet',
      key: ['txId'],
      time: 'at',
      columns: { txId: 'key', at: 'time', customerId: 'key', terminalId: 'key', amount: { kind: 'number', named: 'TX_AMOUNT' }, fraud: 'flag' },
    },
    terminals: { from: 'payments:/terminals.csv', read: 'csv', key: ['terminalId'], columns: { terminalId: 'key', floor: 'integer' } },
  },
  rows: { sql: 'SELECT * FROM transactions', key: ['txId'], time: 'at', group: 'customerId' },
  request: { at: 'time', customerId: 'key', terminalId: 'key', amount: 'number' },
  target: { column: 'fraud' },
  split: { by: 'time', validation: '7d', test: '7d', gap: '7d' },
  train: [{ trainer: 'gbdt' }],
} as const;
const customer = { from: 'transactions', by: 'customerId', over: ['1d', '30d'], make: { count: 'count(*)', mean: 'avg(amount)' } } as const;
const terminal = { from: 'transactions', by: 'terminalId', over: ['7d'], delay: '7d', make: { risk: 'avg(fraud)' } } as const;

const whole = defineModel({ ...base, aggregates: { customer, terminal } });

describe('aggregates of a spec', () => {
  test('are windowed features with names of their own, which the model takes besides what a caller sends', () => {
    expect(parseSpec(whole, fragments)).toMatchObject({ aggregates: { customer, terminal } });
    expect(aggregateGroups(whole)[1]).toEqual({
      name: 'terminal',
      source: 'transactions',
      by: 'terminalId',
      time: 'at',
      delayMs: 604_800_000,
      features: [{ name: 'terminal_risk_7d', overMs: 604_800_000, make: { of: 'mean', column: 'fraud' } }],
    });
    expect(Object.keys(modelInputs(whole))).toEqual([
      ...['at', 'customerId', 'terminalId', 'amount'],
      ...['customer_count_1d', 'customer_mean_1d', 'customer_count_30d', 'customer_mean_30d', 'terminal_risk_7d'],
    ]);
  });

  test.each(['count()', 'count(amount)', 'sum(*)', 'max(amount)', 'avg(amount) / 2', 'sum(amount); DROP TABLE t', 'avg("amount")'])(
    'are no free SQL: %s is refused',
    (text) => {
      expect(() => parseAggregate(text)).toThrow('is no aggregate: write count(*), sum(column) or avg(column)');
    },
  );

  test.each([
    ['from', { customer: { ...customer, from: 'transaction' } }, 'there is no source "transaction"; did you mean "transactions"?'],
    ['from', { customer: { ...customer, from: 'terminals', by: 'terminalId' } }, '"terminals" has no time'],
    ['by', { customer: { ...customer, by: 'customer' } }, 'there is no column "customer"; did you mean "customerId"?'],
    ['by', { customer: { ...customer, by: 'amount' } }, '"amount" is a number: windows are of a key or a category'],
    ['make', { customer: { ...customer, make: { mean: 'avg(amout)' } } }, 'there is no column "amout"; did you mean "amount"?'],
    ['make', { customer: { ...customer, make: { mean: 'avg(terminalId)' } } }, '"terminalId" is a key'],
    ['make.mean', { customer: { ...customer, make: { mean: 'median(amount)' } } }, 'is no aggregate'],
    ['make', { customer: { ...customer, make: {} } }, 'is empty'],
    ['make', { customer: { ...customer, make: { risk: 'avg(fraud)' } } }, '"fraud" is not in request, so a row\'s own is not known'],
    ['over[0]', { customer: { ...customer, over: ['1mo'] } }, '"1mo" is not a duration of fixed length'],
    ['every', { customer: { ...customer, every: '1d' } }, 'unknown field "every"'],
  ])('are refused with a fault in %s', (path, aggregates, message) => {
    const found = faults({ ...base, aggregates });
    expect(found.map(({ message }) => message).join('\n')).toContain(message);
    expect(found[0]!.path).toBe(`aggregates.customer.${path}`);
  });

  test('cannot have the name of a column or of each other', () => {
    const columns = { ...base.sources.transactions.columns, customer_count_1d: 'number' };
    const sources = { ...base.sources, transactions: { ...base.sources.transactions, columns } };
    expect(faults({ ...base, sources, aggregates: { customer } })[0]!.message).toContain('"customer_count_1d" is there already');
    const twins = { a: { ...customer, make: { b_c: 'count(*)' } }, a_b: { ...customer, make: { c: 'count(*)' } } };
    expect(faults({ ...base, aggregates: twins })[0]!.message).toContain('"a_b_c_1d" is there already');
  });

  test('need to be found by what a caller sends, and a split by time', () => {
    const { customerId: _, ...request } = base.request;
    expect(faults({ ...base, request, aggregates: { customer } })[0]!.message).toContain('"customerId" is not in request');
    const split = { by: 'share', validation: 0.1, test: 0.2 };
    expect(faults({ ...base, split, aggregates: { customer } })[0]).toMatchObject({ path: 'split.by' });
  });

  test('do not compile where they are misspelt', () => {
    // @ts-expect-error a source that is not there
    defineModel({ ...base, aggregates: { customer: { ...customer, from: 'transaction' } } });
    // @ts-expect-error a column that is not there
    defineModel({ ...base, aggregates: { customer: { ...customer, by: 'customer' } } });
    // @ts-expect-error a column of another source
    defineModel({ ...base, aggregates: { customer: { ...customer, make: { mean: 'avg(floor)' } } } });
    // @ts-expect-error a key cannot be added
    defineModel({ ...base, aggregates: { customer: { ...customer, make: { mean: 'avg(terminalId)' } } } });
    // @ts-expect-error an unknown aggregate
    defineModel({ ...base, aggregates: { customer: { ...customer, make: { most: 'max(amount)' } } } });
    // @ts-expect-error an unknown field
    defineModel({ ...base, aggregates: { customer: { ...customer, dely: '7d' } } });
    expect(true).toBe(true);
  });
});

function faults(spec: unknown): readonly SpecFault[] {
  try {
    parseSpec(spec, fragments);
  } catch (error) {
    if (error instanceof MlError && error.code === 'SpecInvalid') return error.facts['faults'] as SpecFault[];
    throw error;
  }
  throw new Error('the spec was accepted');
}
