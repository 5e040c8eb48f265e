import { describe, expect, test } from '@jest/globals';
import type { ContractCheck, SourceSpec } from '../../core/model-spec.ts';
import { checkContract } from '../../data/contract.ts';
import { contextOf, parquetOf, rejection } from './scratch.ts';

const sources: Record<string, SourceSpec> = {
  films: { from: 'f:/films.csv', read: 'csv', key: ['filmId'], columns: { filmId: 'key', title: 'text' } },
  ratings: {
    from: 'f:/ratings.csv',
    read: 'csv',
    key: ['userId', 'filmId'],
    time: 'ratedAt',
    columns: { userId: 'key', filmId: 'key', rating: 'number', ratedAt: 'time' },
  },
};

/** 100 ratings of films 0 to 9 by users 0 to 9, a day each from 2024-01-01. */
const good = () => ({
  films: parquetOf(`SELECT CAST(i AS VARCHAR) AS filmId, 'Film ' || i AS title FROM range(10) r(i)`),
  ratings: parquetOf(
    `SELECT CAST(i // 10 AS VARCHAR) AS userId, CAST(i % 10 AS VARCHAR) AS filmId, 0.5 + (i % 10) / 2.0::DOUBLE AS rating,
     TIMESTAMP '2024-01-01' + INTERVAL (i) DAY AS ratedAt FROM range(100) r(i)`,
  ),
});

async function report(contract: readonly ContractCheck[], changes: Partial<Record<'films' | 'ratings', Promise<string>>> = {}) {
  const files = { ...good(), ...changes };
  return checkContract({ spec: { sources, contract }, snapshots: { films: await files.films, ratings: await files.ratings } }, contextOf());
}

describe('a contract', () => {
  test('that is kept has no violation', async () => {
    const contract: readonly ContractCheck[] = [
      { check: 'not-null', of: 'ratings.rating' },
      { check: 'range', of: 'ratings.rating', min: 0.5, max: 5 },
      { check: 'unique', of: 'films', columns: ['title'] },
      { check: 'references', of: 'ratings.filmId', to: 'films.filmId' },
      { check: 'row-count', of: 'ratings', min: 100, max: 100 },
      { check: 'fresh', of: 'ratings.ratedAt', within: '1d', asOf: '2024-04-09' },
      { check: 'sql', name: 'no rating before 2024', sql: `SELECT * FROM ratings WHERE ratedAt < TIMESTAMP '2024-01-01'` },
    ];
    expect(await report(contract)).toEqual({
      format: 1,
      passed: true,
      checks: 14,
      sources: { films: { rows: 10 }, ratings: { rows: 100 } },
      violations: [],
    });
  });

  test.each<[ContractCheck, number, string]>([
    [{ check: 'range', of: 'ratings.rating', max: 4 }, 20, 'ratings.rating is out of range in 20 rows (20 %; allowed to 4)'],
    [{ check: 'range', of: 'ratings.rating', min: 1, max: 4 }, 30, 'allowed from 1 to 4'],
    [{ check: 'range', of: 'ratings.ratedAt', min: '2024-01-06' }, 5, 'ratings.ratedAt is out of range in 5 rows (5 %; allowed from 2024-01-06 up)'],
    [{ check: 'range', of: 'ratings.ratedAt', max: '2024-01-06T12:00:00Z' }, 94, 'allowed to 2024-01-06T12:00:00Z'],
    [{ check: 'unique', of: 'ratings', columns: ['userId'] }, 90, 'ratings has 90 rows too many for unique userId'],
    [{ check: 'row-count', of: 'films', min: 11 }, 10, 'films has 10 rows (allowed at least 11)'],
    [
      { check: 'fresh', of: 'ratings.ratedAt', within: '2d', asOf: '2024-05-01' },
      1,
      'ratings.ratedAt ends at 2024-04-09T00:00:00.000Z, more than 2d before 2024-05-01',
    ],
    [{ check: 'sql', name: 'even users', sql: `SELECT userId FROM ratings WHERE userId = '3'` }, 10, '"even users" finds 10 rows'],
  ])('finds a broken %j', async (check, count, message) => {
    const { passed, violations } = await report([check]);
    expect(passed).toBe(false);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ check: check.check, severity: 'fail', count });
    expect(violations[0]!.message).toContain(message);
    expect(violations[0]!.samples.length).toBeLessThanOrEqual(5);
  });

  test('finds missing values and broken references, up to an allowed share', async () => {
    const ratings = parquetOf(
      `SELECT CAST(i AS VARCHAR) AS userId, CAST(if(i < 5, 99, i % 10) AS VARCHAR) AS filmId, if(i < 10, NULL, 3.0)::DOUBLE AS rating, TIMESTAMP '2024-01-01' AS ratedAt FROM range(100) r(i)`,
    );
    const { violations } = await report(
      [
        { check: 'not-null', of: 'ratings.rating', maxShare: 0.05 },
        { check: 'references', of: 'ratings.filmId', to: 'films.filmId', severity: 'warn' },
        { check: 'not-null', of: 'ratings.rating', maxShare: 0.1 },
        { check: 'references', of: 'ratings.filmId', to: 'films.filmId', maxShare: 0.05 },
      ],
      { ratings },
    );
    expect(violations.map(({ check, count, share, severity }) => [check, count, share, severity])).toEqual([
      ['not-null', 10, 0.1, 'fail'],
      ['references', 5, 0.05, 'warn'],
    ]);
    expect(violations[1]!.samples[0]).toEqual({ userId: '0', filmId: '99', rating: null, ratedAt: '2024-01-01 00:00:00' });
  });

  test('always holds that types are as declared, and keys there and unique', async () => {
    const films = parquetOf(`SELECT CAST(if(i = 3, NULL, i // 2) AS VARCHAR) AS filmId, i AS title FROM range(10) r(i)`);
    const { violations } = await report([], { films });
    expect(violations.map(({ check, of, count }) => [check, of, count])).toEqual([
      ['schema', 'films', 1],
      ['not-null', 'films.filmId', 1],
      ['unique', 'films', 4],
    ]);
  });

  test('with warnings only is passed', async () => {
    expect((await report([{ check: 'row-count', of: 'films', min: 11, severity: 'warn' }])).passed).toBe(true);
  });

  test('shows rows in its samples and in no message', async () => {
    const [broken] = (await report([{ check: 'sql', name: 'third user', sql: `SELECT 'private' AS secret FROM ratings WHERE userId = '3'` }]))
      .violations;
    expect(broken!.samples[0]).toEqual({ secret: 'private' });
    expect(broken!.message).toBe('"third user" finds 10 rows');
  });

  test('compares freshness with another source of known time, and is refused where it could never fail', async () => {
    const fresh: ContractCheck = { check: 'fresh', of: 'ratings.ratedAt', within: '2d' };
    expect((await rejection(report([fresh]), 'SpecInvalid')).message).toContain('it could never fail');
    const views = { ...sources['ratings']!, from: 'f:/views.csv' as const };
    const { ratings } = good();
    const later = parquetOf(`SELECT '1' AS userId, '1' AS filmId, 1.0::DOUBLE AS rating, TIMESTAMP '2024-05-01' AS ratedAt`);
    const snapshots = { ratings: await ratings, views: await later };
    const { violations } = await checkContract(
      { spec: { sources: { ratings: sources['ratings']!, views }, contract: [fresh] }, snapshots },
      contextOf(),
    );
    expect(violations.map(({ message }) => message)).toEqual([
      'ratings.ratedAt ends at 2024-04-09T00:00:00.000Z, more than 2d before 2024-05-01T00:00:00.000Z',
    ]);
  });

  test('that names what is not there is refused, and its SQL is locked in', async () => {
    expect((await rejection(report([{ check: 'range', of: 'ratings.raiting', min: 1 }]), 'SpecInvalid')).message).toContain(
      'ratings has the columns',
    );
    await rejection(report([{ check: 'row-count', of: 'film', min: 1 }]), 'SpecInvalid');
    const bounds = (of: string, min: number | string) => rejection(report([{ check: 'range', of, min }]), 'SpecInvalid');
    expect((await bounds('ratings.ratedAt', 1704067200000)).message).toContain('give instants');
    expect((await bounds('ratings.rating', '2024-01-01')).message).toContain('give numbers');
    await rejection(report([{ check: 'sql', name: 'x', sql: `SELECT * FROM read_text('/etc/passwd')` }]), 'SqlRefused');
  });
});
