import { describe, expect, test } from '@jest/globals';
import { type Operation, type Standing, violations } from './log-model.ts';

const entry = (n: number, value: number, expect: number | null): Standing => ({
  ...{ n, sha256: `d${n}`, previous: n === 1 ? null : `d${n - 1}`, token: `t${n}`, set: { value, expect } },
});
const op = (process: number, began: number, ended: number, did: Operation['did']): Operation => ({
  ...{ process, began: BigInt(began), ended: BigInt(ended), did },
});
const read = (n: number) => ({ kind: 'read', n, sha256: `d${n}` }) as const;
const appended = (n: number) => ({ kind: 'appended', token: `t${n}`, n }) as const;

const log = [entry(1, 7, null), entry(2, 8, 7), entry(3, 7, 8)];
const history = [
  op(1, 0, 10, appended(1)),
  op(2, 5, 20, read(1)), // side by side with the first append
  op(1, 11, 30, appended(2)),
  op(2, 21, 40, { kind: 'refused', token: 'r', expect: 7, n: 2, sha256: 'd2' }),
  op(3, 25, 60, read(1)), // began before entry 2 was told
  op(1, 41, 50, appended(3)),
  op(2, 51, 60, read(3)),
];
const changed = (at: number, did: Operation['did']) => history.with(at, { ...history[at]!, did });

describe('the model of the log', () => {
  test('has nothing against a history that some order explains', () => {
    expect(violations(log, history)).toEqual([]);
  });

  test.each<[string, readonly Standing[], readonly Operation[], string]>([
    ['a stale read', log, changed(6, read(2)), 'process 2 saw the log end at 2 after entry 3 had been seen'],
    ['a read that sees less than a read before it', log, [...history, op(4, 70, 80, read(2))], 'process 4 saw the log end at 2'],
    ['an append behind what had been read', log, [...history.with(5, op(1, 70, 80, appended(3)))], 'appended entry 3 after entry 3 had been seen'],
    ['an entry that changed', log, changed(6, { ...read(3), sha256: 'other' }), 'read an entry 3 that does not stand there now'],
    ['a lost entry', log.slice(0, 2), history, 'was told that t3 is entry 3; it is none'],
    ['a doubled entry', [...log, { ...entry(4, 8, 7), token: 't2' }], history, 'was told that t2 is entry 2; it is 2 and 4'],
    ['an entry that nobody asked for', [...log, entry(4, 8, 7)], history, 'nobody appended t4'],
    ['a refused append that stands', log, changed(3, { kind: 'refused', token: 't2', expect: 7, n: 2, sha256: 'd2' }), 'refused t2, which stands'],
    ['a refusal without a reason', log, changed(3, { kind: 'refused', token: 'r', expect: 8, n: 2, sha256: 'd2' }), 'refused though 8 stood'],
    ['a condition that did not hold', log.with(2, entry(3, 7, 7)), history, 'entry 3 expected 7 where 8 stood'],
    ['a broken chain', log.with(1, { ...log[1]!, previous: 'other' }), history, 'entry 2 does not continue entry 1'],
    ['a gap', [log[0]!, log[2]!], history, 'entry 2 is missing'],
    ['a process that failed', log, changed(6, { kind: 'failed', message: 'LogCorrupt' }), 'process 2: LogCorrupt'],
  ])('names %s', (_, standing, seen, expected) => {
    expect(violations(standing, seen).join('\n')).toContain(expected);
  });
});
