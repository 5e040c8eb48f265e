import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { InputKind } from '../../core/encoding.ts';
import { columnOf } from '../../serving/request-values.ts';

const read = (kind: InputKind, value: string | number | boolean | null): unknown => [...columnOf(kind, 'x', [{ x: value }]).values][0];

describe('a value of a request', () => {
  test.each<[InputKind, string | number | boolean, unknown]>([
    ['number', 2.5, 2.5],
    ['number', -3.4e38, -3.4e38],
    ['integer', 7, 7n],
    ['flag', true, 1],
    ['flag', false, 0],
    ['category', '', ''],
    ['category', 'high', 'high'],
    ['time', '2026-03-29T18:30:00Z', 1774809000000n],
    ['time', '2026-03-29T20:30:00.000+02:00', 1774809000000n],
    ['time', '2026-03-29', 1774742400000n],
    ['time', '2024-02-29T23:30:00-02:00', 1709256600000n],
  ])('that is the %s %j is read as %p', (kind, value, wanted) => {
    expect(read(kind, value)).toEqual(wanted);
  });

  test('that is a time without a zone is of UTC, wherever the server runs', async () => {
    const times = ['2026-03-29T18:30:00', '2026-03-29 18:30', '2026-03-29 18:30:00.000'];
    const module = new URL('../../dist/serving/request-values.js', import.meta.url).href;
    const script = `
      import { columnOf } from ${JSON.stringify(module)};
      console.log(new Date(2026, 2, 29).getTimezoneOffset(), ...columnOf('time', 'x', ${JSON.stringify(times.map((x) => ({ x })))}).values);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ: 'America/New_York' },
    });
    expect(stdout.trim()).toBe('240 1774809000000n 1774809000000n 1774809000000n');
  });

  test.each<[InputKind, string | number | boolean]>([
    ['number', '2.5'],
    ['number', 1e39],
    ['number', Number.POSITIVE_INFINITY],
    ['integer', 1.5],
    ['integer', 2 ** 53],
    ['flag', 1],
    ['flag', 'true'],
    ['category', 3],
    ['time', 1774809000000],
    ['time', '29.03.2026'],
    ['time', '2026-02-30T25:00:00Z'],
    ['time', 'March 29, 2026'],
    ['time', '2026-02-30'],
    ['time', '2026-02-29T23:00:00-02:00'],
    ['time', '2026-13-01'],
  ])('that is no %s, %j, is refused with its row and its name', (kind, value) => {
    expect(() => columnOf(kind, 'x', [{ x: null }, { x: value }].slice(kind === 'flag' ? 1 : 0), kind === 'flag' ? 41 : 40)).toThrow(
      `row 41: "x" is ${JSON.stringify(value)}: give`,
    );
  });

  test.each<InputKind>(['number', 'integer', 'time', 'category'])('that is missing is one of a %s', (kind) => {
    expect(columnOf(kind, 'x', [{}])).toEqual(columnOf(kind, 'x', [{ x: null }]));
  });

  test('that is missing is none of a flag: no flag of the training rows was', () => {
    expect(() => columnOf('flag', 'rain', [{ rain: true }, {}])).toThrow('row 1: "rain" is missing: give true or false');
  });
});
