import { expect, test } from '@jest/globals';
import { inspect, seal, unseal } from '../../stores/sealed.ts';

const record = { b: [1, 'zwei', null], a: { at: '2026-11-24T09:20:00.000Z' } };

test('a sealed record is what it was', () => {
  expect(unseal(seal(record))).toEqual(record);
  expect(inspect(seal(record))).toEqual({ record });
});

test('any one flipped bit of a sealed record is noticed', () => {
  const sealed = seal(record);
  for (let at = 0; at < sealed.length * 8; at++) {
    const flipped = Buffer.from(sealed);
    flipped[at >> 3]! ^= 1 << (at & 7);
    const opened = inspect(flipped);
    expect({ at, noticed: opened === undefined || opened.broken !== undefined }).toEqual({ at, noticed: true });
  }
});

test.each(['', '{', 'null', '[1]', '"text"'])('%p is no record', (text) => {
  expect(unseal(Buffer.from(text))).toBeUndefined();
});

test('a record of before there were seals is read, and said to have none', () => {
  const body = Buffer.from('{"a":1}');
  expect(unseal(body)).toEqual({ a: 1 });
  expect(inspect(body)).toEqual({ record: { a: 1 }, broken: 'absent' });
});
