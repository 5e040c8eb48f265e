import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { leaveOutSeen } from '../../data/seen.ts';
import { contextOf, parquetOf, query, scratchFolder } from './scratch.ts';

/** A split of 100 rows: those from `from` on are for the test, which ends before `to`. */
const splitOf = (from: number, to = 100, columns = "CAST(i AS VARCHAR) AS u, 'x' AS v") =>
  parquetOf(`SELECT ${columns}, if(i < ${from}, 'train', 'test') AS part FROM range(${to}) r(i)`);

async function fairFold(
  split: string,
  rivals: Readonly<Record<string, Promise<string>>>,
  { exam = [split], out = join(scratchFolder(), 'fair.parquet') }: { exam?: readonly string[]; out?: string } = {},
) {
  const named = await Promise.all(Object.entries(rivals).map(async ([name, path]) => ({ name, splits: [await path], asGuest: name === 'fallback' })));
  const fair = await leaveOutSeen({ split, exam, key: ['u', 'v'], rivals: named, out }, contextOf());
  const left = existsSync(out) ? await query(`SELECT part, count(*)::INTEGER AS rows FROM '${out}' GROUP BY part ORDER BY part`, out) : undefined;
  return { ...fair, left };
}

describe('an exam', () => {
  test('is sat as it is where nobody has seen anything of it', async () => {
    expect(await fairFold(await splitOf(50), {})).toEqual({ sitting: [], leftOut: 0, left: undefined });
    expect(await fairFold(await splitOf(50), { champion: splitOf(50) })).toEqual({ sitting: ['champion'], leftOut: 0, left: undefined });
  });

  test('goes without the test rows that one of its rivals has seen', async () => {
    expect(await fairFold(await splitOf(50), { champion: splitOf(60), anchor: splitOf(75) })).toEqual({
      sitting: ['champion', 'anchor'],
      leftOut: 25,
      left: [
        { part: 'test', rows: 25 },
        { part: 'train', rows: 50 },
      ],
    });
  });

  test('is sat whole and without rivals where they leave fewer than 20 rows', async () => {
    expect(await fairFold(await splitOf(50), { champion: splitOf(81) })).toEqual({ sitting: [], leftOut: 0, left: undefined });
    expect((await fairFold(await splitOf(50), { champion: splitOf(80) })).sitting).toEqual(['champion']);
    // A small exam of which nobody has seen anything is fair; whether it says enough is the gate's to judge.
    expect((await fairFold(await splitOf(95), { champion: splitOf(95) })).sitting).toEqual(['champion']);
  });

  test('is sat by a guest who has seen nothing of it, and loses no row for one who has', async () => {
    expect(await fairFold(await splitOf(50), { fallback: splitOf(50) })).toMatchObject({ sitting: ['fallback'], leftOut: 0 });
    expect(await fairFold(await splitOf(50), { fallback: splitOf(51) })).toEqual({ sitting: [], leftOut: 0, left: undefined });
    expect(await fairFold(await splitOf(50), { champion: splitOf(60), fallback: splitOf(75) })).toMatchObject({ sitting: ['champion'], leftOut: 10 });
    expect(await fairFold(await splitOf(50), { champion: splitOf(81), fallback: splitOf(50) })).toMatchObject({ sitting: ['fallback'], leftOut: 0 });
  });

  test('is one exam, however many folds it has: each of them is decided by all', async () => {
    const [first, second] = [await splitOf(50, 80), await splitOf(80)];
    const champion = splitOf(80);
    for (const [split, leftOut] of [
      [first, 30],
      [second, 0],
    ] as const) {
      expect(await fairFold(split, { champion }, { exam: [first, second] })).toMatchObject({ sitting: ['champion'], leftOut });
      expect(await fairFold(split, { champion: splitOf(81) }, { exam: [first, second] })).toMatchObject({ sitting: [], leftOut: 0 });
    }
  });

  test.each([
    ['another column', 'CAST(i AS VARCHAR) AS u, 1 AS other'],
    ['a column less', 'CAST(i AS VARCHAR) AS u'],
    ['a column more', "CAST(i AS VARCHAR) AS u, 'x' AS v, i AS w"],
    ['another type', "i AS u, 'x' AS v"],
  ])('is not sat by a rival whose key has %s, and is fair to the others', async (_, columns) => {
    const old = splitOf(90, 100, columns);
    expect(await fairFold(await splitOf(50), { champion: old })).toEqual({ sitting: [], leftOut: 0, left: undefined });
    expect(await fairFold(await splitOf(50), { champion: old, anchor: splitOf(60) })).toMatchObject({ sitting: ['anchor'], leftOut: 10 });
  });
});
