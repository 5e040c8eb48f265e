import { describe, expect, test } from '@jest/globals';
import { addDuration, durationMs } from '../../core/duration.ts';
import { nearest } from '../../core/nearest.ts';
import { segmentLabel, segmentPredicate, segmentsOf } from '../../core/segment.ts';
import { resolveWindow } from '../../core/window.ts';

describe('a segment label', () => {
  test.each([
    ['month-of-year(ratedAt)', 10, 'month=10'],
    ['city', 'INDO', 'city=indo'],
    ['City', ' São Paulo ', 'city=s-o-paulo'],
    ['city', undefined, 'all'],
  ])('of %s = %s is %s', (by, value, label) => {
    expect(segmentLabel(by, value)).toBe(label);
  });

  test('is part of a key, so it cannot hold a path or nothing', () => {
    expect(segmentLabel('city', '../../etc')).toBe('city=etc');
    expect(() => segmentLabel('city', '***')).toThrow('cannot name a segment');
    expect(() => segmentLabel('year(x)', 1)).toThrow('month-of-year(column)');
  });

  test('cannot carry SQL', () => {
    expect(() => segmentPredicate('city', `city=x' OR true --`)).toThrow('is not one of city');
    expect(() => segmentPredicate('city', 'month=1')).toThrow('labels look like city=');
    expect(() => segmentPredicate(undefined, 'city=x')).toThrow('no "segments"');
    expect(segmentPredicate(undefined, 'all')).toBe('true');
  });
});

test('the segments of a spec are that of all rows, then those that it names', () => {
  expect(segmentsOf({ segments: { by: 'month-of-year(ratedAt)', only: [10, 12] } })).toEqual(['all', 'month=10', 'month=12']);
  expect(segmentsOf({})).toEqual(['all']);
});

describe('a duration', () => {
  const at = Date.UTC(2024, 0, 31);
  test.each([
    ['90d', 1, Date.UTC(2024, 0, 121)],
    ['12h', 2, Date.UTC(2024, 1, 1)],
    ['1mo', 1, Date.UTC(2024, 1, 29)],
    ['1y', 1, Date.UTC(2025, 0, 31)],
    ['1mo', -2, Date.UTC(2023, 10, 30)],
  ])('of %s, %d times after 31 January 2024', (duration, times, expected) => {
    expect(addDuration(at, duration, times)).toBe(expected);
  });

  test('needs a number and a unit', () => {
    expect(() => addDuration(at, '5 days')).toThrow('such as "90d"');
    expect(() => durationMs('1mo')).toThrow('no fixed length');
    expect(durationMs('2w')).toBe(14 * 86_400_000);
  });
});

test('a window counts back from the data, not from the clock', () => {
  const data = { from: '2020-01-01T00:00:00.000Z', to: '2020-04-01T00:00:00.000Z' };
  expect(resolveWindow(undefined, data)).toEqual(data);
  expect(resolveWindow({ last: '1mo' }, data)).toEqual({ from: '2020-03-01T00:00:00.000Z', to: data.to });
  expect(resolveWindow({ from: '2020-02-01', to: '2020-02-02' }, data)).toEqual({ from: '2020-02-01T00:00:00.000Z', to: '2020-02-02T00:00:00.000Z' });
  expect(() => resolveWindow({ from: '2020-02-02', to: '2020-02-02' }, data)).toThrow('is empty');
});

test('the nearest word is found for a slip, and none for another word', () => {
  expect(nearest('ratigns', ['movies', 'ratings'])).toBe('ratings');
  expect(nearest('approval', ['split', 'train'])).toBeUndefined();
});
