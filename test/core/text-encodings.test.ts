import { expect, test } from '@jest/globals';
import { defineModel } from '../../core/model-spec.ts';
import type {} from '../../core/tasks/binary.ts';
import type {} from '../../trainers/linear.ts';

const tickets = {
  format: 1,
  name: 'ticket-escalation',
  task: 'binary',
  sources: {
    tickets: {
      from: 'desk:/tickets.csv',
      read: 'csv',
      key: ['ticketId'],
      columns: { ticketId: 'key', subject: 'text', tags: 'category', queue: 'number', escalated: 'flag' },
    },
  },
  rows: { sql: 'SELECT * FROM tickets', key: ['ticketId'] },
  request: { subject: 'text', tags: 'category', queue: 'number' },
  target: { column: 'escalated' },
  split: { by: 'share', validation: 0.2, test: 0.2 },
  train: [{ trainer: 'linear' }],
} as const;

test('texts and categories are encoded by their terms; anything else does not compile', () => {
  defineModel({ ...tickets, encode: { subject: ['tf-idf'], tags: ['code', { as: 'tf-idf', terms: 20 }] } });
  // @ts-expect-error a number has no terms
  defineModel({ ...tickets, encode: { queue: ['tf-idf'] } });
  // @ts-expect-error nor by the longer form
  defineModel({ ...tickets, encode: { queue: [{ as: 'tf-idf', terms: 20 }] } });
  // @ts-expect-error a text has no levels
  defineModel({ ...tickets, encode: { subject: ['code'] } });
  // @ts-expect-error a misspelt encoding
  defineModel({ ...tickets, encode: { subject: [{ as: 'tfidf', terms: 20 }] } });
  // @ts-expect-error without the number of terms
  defineModel({ ...tickets, encode: { subject: [{ as: 'tf-idf' }] } });
  expect(true).toBe(true);
});
