import { describe, expect, test } from '@jest/globals';
import { MlError } from '../../core/errors.ts';
import { defineModel, type CheckedSpec } from '../../core/model-spec.ts';
import { parseSpec, type SpecFault } from '../../core/spec-schema.ts';
import { tasks } from '../../core/tasks/index.ts';
import { trainers } from '../../trainers/index.ts';

const payments = defineModel({
  format: 1,
  name: 'payments',
  task: 'binary',
  sources: {
    transactions: {
      from: 'payments:/transactions.csv',
      read: 'csv',
      key: ['txId'],
      time: 'at',
      columns: { txId: 'key', at: 'time', cardId: 'key', amount: 'number', fraud: 'flag' },
    },
  },
  rows: { sql: 'SELECT *, amount > 100 AS large FROM transactions', key: ['txId'], time: 'at', group: 'cardId', columns: { large: 'flag' } },
  request: { at: 'time', cardId: 'key', amount: 'number', large: 'flag' },
  encode: { at: ['hour'] },
  target: { column: 'fraud' },
  split: { by: 'time', validation: '7d', test: '7d' },
  train: [{ trainer: 'linear' }],
});

const fragments = { tasks, trainers: Object.fromEntries(Object.values(trainers).map(({ name, parameters }) => [name, parameters])) };

function faults(changes: object): readonly SpecFault[] {
  try {
    parseSpec({ ...payments, ...changes }, fragments);
  } catch (error) {
    if (error instanceof MlError && error.code === 'SpecInvalid') return error.facts['faults'] as SpecFault[];
    throw error;
  }
  return [];
}

describe('a column that is misspelt is named before anything is read, with the one that was meant', () => {
  const { rows, split } = payments;
  test.each([
    ['request.amout', { request: { at: 'time', amout: 'number' } }, '"amout"; did you mean "amount"?'],
    ['rows.key[0]', { rows: { ...rows, key: ['txid'] } }, '"txid"; did you mean "txId"?'],
    ['rows.time', { rows: { ...rows, time: 'att' } }, '"att"; did you mean "at"?'],
    ['rows.group', { rows: { ...rows, group: 'cardID' } }, '"cardID"; did you mean "cardId"?'],
    ['target.column', { target: { column: 'farud' } }, '"farud"; did you mean "fraud"?'],
    ['slices[0]', { slices: ['larg'] }, '"larg"; did you mean "large"?'],
    ['split.column', { split: { ...split, by: 'share', column: 'cardid', validation: 0.2, test: 0.2 } }, '"cardid"; did you mean "cardId"?'],
    ['segments.by', { segments: { by: 'month-of-year(day)', only: [10] } }, '"day" (there are txId, at, cardId, amount, fraud, large)'],
    ['gate.trusted.features.amout', { gate: { metric: 'roc-auc', trusted: { features: { amout: 'a reason to read' } } } }, 'did you mean "amount"?'],
  ])('%s', (path, changes, message) => {
    expect(faults(changes)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  test('and one that rows.sql computes is taken when it is declared', () => {
    expect(faults({})).toEqual([]);
    const { columns: _, ...undeclared } = rows;
    expect(faults({ rows: undeclared })).toEqual([
      {
        path: 'request.large',
        message: 'there is no column "large" (there are txId, at, cardId, amount, fraud): what rows.sql computes is declared in rows.columns',
      },
    ]);
  });
});

test('the compiler names a misspelt column where it is, and takes the others', () => {
  const misspelt = { ...payments, request: { at: 'time', amout: 'number' }, encode: { att: ['hour'] } } as const;
  type Asked = CheckedSpec<typeof misspelt>;
  const column: NonNullable<Asked['request']>['amout'] = { what: 'column', name: 'amout' };
  const input: NonNullable<Asked['encode']>['att'] = { what: 'input', name: 'att' };
  const other: NonNullable<Asked['request']>['at'] = 'time';
  expect([column.name, input.name, other]).toEqual(['amout', 'att', 'time']);
  // @ts-expect-error a column that is not there
  defineModel({ ...payments, request: { at: 'time', amout: 'number' } });
  // @ts-expect-error an input that is not there
  defineModel({ ...payments, encode: { att: ['hour'] } });
});
