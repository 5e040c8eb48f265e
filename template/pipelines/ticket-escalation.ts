import { defineModel } from 'perennial-ml';

/** How probable it is that a ticket, just opened, will be escalated. */
export const ticketEscalation = defineModel({
  format: 1,
  name: 'ticket-escalation',
  task: 'binary',
  sources: {
    tickets: {
      from: 'desk:/tickets.csv',
      read: 'csv',
      key: ['ticketId'],
      time: 'openedAt',
      columns: {
        ticketId: 'key',
        openedAt: 'time',
        customerId: 'key',
        plan: 'category',
        seats: 'integer',
        topic: 'category',
        subject: 'text',
        queue: 'number',
        escalated: 'flag',
      },
    },
  },
  // A broken promise stops the run, or only warns, and shows rows that broke it.
  contract: [
    { check: 'row-count', of: 'tickets', min: 500 },
    { check: 'not-null', of: 'tickets.escalated' },
    { check: 'not-null', of: 'tickets.queue', maxShare: 0.05, severity: 'warn' },
    { check: 'range', of: 'tickets.seats', min: 1, max: 10_000 },
    { check: 'sql', name: 'a known plan', sql: `SELECT * FROM tickets WHERE plan NOT IN ('free', 'team', 'business')` },
  ],
  rows: {
    sql: 'SELECT ticketId, openedAt, customerId, plan, seats, topic, subject, queue, seats > 100 AS large, escalated FROM tickets',
    key: ['ticketId'],
    time: 'openedAt',
    group: 'customerId',
    columns: { large: 'flag' },
  },
  // What a caller sends; what it becomes inside the model.
  request: { openedAt: 'time', plan: 'category', seats: 'integer', topic: 'category', subject: 'text', queue: 'number', large: 'flag' },
  encode: { openedAt: ['hour', 'weekend'], topic: ['code', 'mean'], subject: [{ as: 'tf-idf', terms: 50 }] },
  target: { column: 'escalated' },
  // The last four weeks are the exam, the four before them choose among the candidates; it takes three days to know whether a ticket was escalated.
  split: { by: 'time', validation: '28d', test: '28d', gap: '3d' },
  slices: ['plan'],
  train: [
    { trainer: 'linear', try: { l2: [1, 10, 100] } },
    { trainer: 'gbdt', with: { rate: 0.05 }, try: { leaves: [7, 15] } },
  ],
  // What it must beat before anybody is served by it.
  gate: {
    metric: 'roc-auc',
    baselines: ['constant', 'one-feature', 'logistic'],
    floors: [
      { slice: 'plan=free', metric: 'roc-auc', min: 0.65 },
      { slice: 'plan=business', metric: 'roc-auc', min: 0.65, minUnits: 50 },
    ],
    champion: { rule: 'not-worse', margin: 0.01 },
  },
  refit: 'all',
});
