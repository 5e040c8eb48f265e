import { modelInputs } from '../../core/aggregates.ts';
import { tensorTypes } from '../../core/encoding.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { inputsOf } from '../../core/tasks/table-exam.ts';
import { int64, model, node } from '../../onnx/writer.ts';
import type { RequestRow } from '../../serving/index.ts';

/** Payments by card and shop, with windows over them. */
export const cards = {
  format: 1,
  name: 'cards',
  task: 'regression',
  sources: {
    payments: {
      from: 'payments:/payments.csv',
      read: 'csv',
      key: ['id'],
      time: 'at',
      columns: { id: 'key', at: 'time', card: 'key', shop: 'category', amount: 'number', fraud: 'flag', note: 'text' },
    },
  },
  aggregates: {
    card: { from: 'payments', by: 'card', over: ['1h', '1d'], make: { count: 'count(*)', mean: 'avg(amount)' } },
    shop: { from: 'payments', by: 'shop', over: ['2d'], delay: '1d', make: { frauds: 'sum(fraud)' } },
  },
  request: { at: 'time', card: 'key', shop: 'category', amount: 'number' },
  rows: { sql: 'SELECT * FROM payments', key: ['id'], time: 'at' },
  target: { column: 'amount' },
  split: { by: 'time', validation: '1d', test: '1d' },
  train: [{ trainer: 'linear' }],
} as const satisfies ModelSpec;

/** A model that answers with one of its inputs, so that a prediction shows what it was given. */
export function echo(spec: ModelSpec, name: string): Uint8Array {
  return model({
    name: 'echo',
    inputs: inputsOf(modelInputs(spec)).map((input) => ({ name: input.name, type: tensorTypes[input.kind], dims: [-1, 1] })),
    outputs: [{ name: 'prediction', type: 'float32', dims: [-1] }],
    initializers: [int64('flat', [-1])],
    nodes: [node('Reshape', [name, 'flat'], 'values'), node('Cast', ['values'], 'prediction', { to: 1 })],
  });
}

/** So many hours into March 2026. */
export const at = (hour: number): string => new Date(Date.UTC(2026, 2, 1) + hour * 3_600_000).toISOString();

export const payment = (id: number, hour: number, more: RequestRow = {}): RequestRow => ({
  id,
  at: at(hour),
  card: 'c1',
  shop: 'corner',
  amount: 10,
  ...more,
});
