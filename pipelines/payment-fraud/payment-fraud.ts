import { defineModel } from 'perennial-ml';

/**
 * The weeks of the Fraud Detection Handbook: a model that is trained on the last week of July knows its labels on 8 August, seven days after the last of
 * them, and is examined on the week from then on. Parameters are chosen a fortnight before in the same way.
 */
const weeks = { from: '2018-07-11', blockedFrom: '2018-07-25', to: '2018-08-15' } as const;

/** How probable it is that a payment is fraud, by what is known of its card and its terminal at that moment. */
export const paymentFraud = defineModel({
  format: 1,
  name: 'payment-fraud',
  task: 'binary',
  intendedUse: 'To choose the hundred cards that investigators look at each day. Not to block a card or a payment without them.',
  sources: {
    transactions: {
      from: 'payments:/transactions-*.parquet',
      read: 'parquet',
      key: ['txId'],
      time: 'at',
      columns: {
        txId: { kind: 'key', named: 'TRANSACTION_ID' },
        at: { kind: 'time', named: 'TX_DATETIME' },
        customerId: { kind: 'key', named: 'CUSTOMER_ID' },
        terminalId: { kind: 'key', named: 'TERMINAL_ID' },
        amount: { kind: 'number', named: 'TX_AMOUNT' },
        fraud: { kind: 'flag', named: 'TX_FRAUD' },
      },
    },
  },
  contract: [
    { check: 'row-count', of: 'transactions', min: 100_000 },
    { check: 'not-null', of: 'transactions.customerId' },
    { check: 'not-null', of: 'transactions.terminalId' },
    { check: 'not-null', of: 'transactions.fraud' },
    { check: 'range', of: 'transactions.amount', min: 0, max: 10_000 },
  ],
  aggregates: {
    customer: { from: 'transactions', by: 'customerId', over: ['1d', '7d', '30d'], make: { count: 'count(*)', mean: 'avg(amount)' } },
    terminal: { from: 'transactions', by: 'terminalId', over: ['1d', '7d', '30d'], delay: '7d', make: { count: 'count(*)', risk: 'avg(fraud)' } },
  },
  rows: {
    // A card whose fraud was known the day before is blocked: nobody asks about its payments any more.
    sql: `
      SELECT * FROM transactions payment WHERE NOT EXISTS (
        FROM transactions known WHERE known.customerId = payment.customerId AND known.fraud
          AND known."at" >= TIMESTAMP '${weeks.blockedFrom}' AND known."at" < date_trunc('day', payment."at") - INTERVAL 7 DAY)`,
    key: ['txId'],
    time: 'at',
    group: 'customerId',
  },
  request: { at: 'time', customerId: 'key', terminalId: 'key', amount: 'number' },
  encode: { at: ['hour', 'weekend'] },
  target: { column: 'fraud' },
  // Who stops an honest payment has to ring up a customer; who lets a fraud go through loses twenty times as much.
  threshold: { falsePositive: 1, falseNegative: 20 },
  window: { from: weeks.from, to: weeks.to },
  split: { by: 'time', validation: '7d', test: '7d', gap: '7d' },
  train: [{ trainer: 'gbdt', with: { columnShare: 0.5, minRowsPerLeaf: 100 }, try: { rate: [0.02, 0.05], leaves: [4, 8] } }],
  gate: {
    metric: 'average-precision',
    baselines: ['constant', 'one-feature', 'logistic'],
    champion: { rule: 'not-worse', margin: 0.01 },
    floors: [{ slice: 'all', metric: 'savings', min: 0.5 }],
    plausible: { best: 0.85, because: 'the first frauds of a card or a terminal are like other payments; strong libraries reach 0.7' },
  },
  refit: 'none',
});
