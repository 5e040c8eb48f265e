import { describe, expect, test } from '@jest/globals';
import { Misuse } from '../../cli/misuse.ts';
import { parsePlace, parseWritten } from '../../cli/reference.ts';
import { withSettings } from '../../cli/set-path.ts';
import { parseMonths, parseWindow, parseWindows } from '../../cli/windows.ts';

describe('a reference', () => {
  test.each([
    ['films', { model: 'films' }],
    ['films/month=10', { model: 'films', segment: 'month=10' }],
    ['films@3', { model: 'films', at: 3 }],
    ['films/month=10@champion', { model: 'films', segment: 'month=10', at: 'champion' }],
    ['films@previous', { model: 'films', at: 'previous' }],
  ])('%s says what was written, and no more', (text, written) => {
    expect(parseWritten(text)).toEqual(written);
  });

  test('without a segment means all rows, unless an option names one', () => {
    expect(parsePlace('films')).toEqual({ model: 'films', segment: 'all' });
    expect(parsePlace('films', 'month=10')).toEqual({ model: 'films', segment: 'month=10' });
  });

  test.each(['', 'Films', 'films@', 'films@newest', 'films/', 'films/a/b'])('"%s" is misuse', (text) => {
    expect(() => parseWritten(text)).toThrow(Misuse);
  });
});

describe('a window', () => {
  test.each([
    ['2025-10-01..2025-11-01', '2025-10-01', '2025-11-01'],
    ['2025-10-01T06:00Z..2025-10-01T18:00Z', '2025-10-01T06:00Z', '2025-10-01T18:00Z'],
    ['2025-10', '2025-10-01', '2025-11-01'],
    ['2025-12', '2025-12-01', '2026-01-01'],
    ['2025', '2025-01-01', '2026-01-01'],
    ['2024-02-28', '2024-02-28', '2024-02-29'],
    ['2025-12-31', '2025-12-31', '2026-01-01'],
  ])('%s begins at %s and ends before %s', (text, from, to) => {
    expect(parseWindow(text)).toEqual({ from, to });
  });

  test.each(['', '..', '2025-13', 'october', '2025-10-01..', '2025-11-01..2025-10-01', '2025-10-01..2025-10-01', 'a..b..c', '2025-10..2025-12'])(
    '"%s" is misuse',
    (text) => {
      expect(() => parseWindow(text)).toThrow(Misuse);
    },
  );

  test('several have commas between them', () => {
    expect(parseWindows('2025-10, 2025-12')).toEqual([
      { from: '2025-10-01', to: '2025-11-01' },
      { from: '2025-12-01', to: '2026-01-01' },
    ]);
  });

  test('months are windows of their own, the last one included', () => {
    expect(parseMonths('2024-11..2025-02').map(({ from, to }) => `${from}..${to}`)).toEqual([
      '2024-11-01..2024-12-01',
      '2024-12-01..2025-01-01',
      '2025-01-01..2025-02-01',
      '2025-02-01..2025-03-01',
    ]);
    expect(parseMonths('2025-10')).toHaveLength(1);
    expect(() => parseMonths('2025-10..2025-01')).toThrow(Misuse);
    expect(() => parseMonths('2025..2026')).toThrow(Misuse);
  });
});

describe('a setting', () => {
  const spec = { train: [{ trainer: 'ease', try: { l2: [100, 300] } }], refit: 'all' };

  test('changes one value by its path, and leaves the given spec as it was', () => {
    const before = structuredClone(spec);
    expect(withSettings(spec, ['train.0.try.l2=[200]'])).toEqual({ train: [{ trainer: 'ease', try: { l2: [200] } }], refit: 'all' });
    expect(withSettings(spec, ['train[0].try.l2[1]=500'])).toEqual({ train: [{ trainer: 'ease', try: { l2: [100, 500] } }], refit: 'all' });
    expect(spec).toEqual(before);
  });

  test('makes objects on the way, and may add one to the end of a list', () => {
    expect(withSettings(spec, ['train.0.with.neighbours=50', 'train.1.trainer=popularity'])).toEqual({
      train: [{ trainer: 'ease', try: { l2: [100, 300] }, with: { neighbours: 50 } }, { trainer: 'popularity' }],
      refit: 'all',
    });
  });

  test('is text where it is no JSON, and may contain "="', () => {
    expect(withSettings({}, ['refit=none', 'a.sql=SELECT 1 WHERE 1=1', 'b="5"', 'c=5', 'd=null'])).toEqual({
      refit: 'none',
      a: { sql: 'SELECT 1 WHERE 1=1' },
      b: '5',
      c: 5,
      d: null,
    });
  });

  test('reaches no prototype', () => {
    const after = withSettings({}, ['__proto__.polluted=true']);
    expect(Object.hasOwn(after as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each(['train', '=5', 'train..l2=5', 'train.7.with=1', 'train.first=1', 'refit.none=1'])('"%s" is misuse', (setting) => {
    expect(() => withSettings(spec, [setting])).toThrow(Misuse);
  });
});
