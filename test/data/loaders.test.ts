import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { recommendation as task } from '../../core/tasks/recommendation.ts';
import { recommendation as loader } from '../../data/loaders/recommendation.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { contextOf, parquetOf, scratchFolder } from './scratch.ts';

/** Known: 12 old films, then `new` ones that came after the champion was trained. Test: each user likes one of each, and meets a new one again. */
async function folds(): Promise<{ readonly before: RowFiles; readonly today: RowFiles }> {
  const known = `SELECT u AS "user", 'old-' || i AS item, i AS ms, 'train' AS part FROM range(6) t(u), range(12) s(i) WHERE i <= u
    UNION ALL SELECT u, 'new-' || (u % 3), 100, 'validation' FROM range(1, 6) t(u)`;
  const heldOut = `SELECT u, 'old-11', 200, 'test' FROM range(6) t(u)
    UNION ALL SELECT u, 'new-' || (u % 3), 201, 'test' FROM range(6) t(u)
    UNION ALL SELECT u, 'new-' || ((u + 1) % 3), 202 + n, 'test' FROM range(6) t(u), range(2) s(n)
    UNION ALL SELECT u, 'unseen', 205, 'test' FROM range(6) t(u)`;
  const file = (select: string) => parquetOf(`SELECT row_number() OVER () AS id, * FROM (${select})`);
  const [old, all] = [await file(known.split('UNION')[0]!), await file(`${known} UNION ALL ${heldOut}`)];
  const of = async (path: string): Promise<RowFiles> => ({
    rows: await parquetOf(`SELECT id, "user", item, make_timestamp(ms * 1000) AS at FROM '${path}'`, [path]),
    split: await parquetOf(`SELECT id, part FROM '${path}'`, [path]),
    parts: ['train', 'validation'],
    key: ['id'],
    time: 'at',
    target: { user: 'user', item: 'item', relevantFrom: 1 },
  });
  return { before: await of(old), today: await of(all) };
}

test.each([0, 4, 6])('a champion with an older catalogue is asked the same as the challenger, with a minimal history of %i', async (minHistory) => {
  const { before, today } = await folds();
  const exams = await Promise.all(
    [before, today].map(async (fitted) => {
      const items = join(scratchFolder(), 'items.json');
      await loader.fit(fitted, undefined, items, contextOf());
      const { known, heldOut } = await loader.load(today, items, 'test', contextOf());
      return task.exam(known, heldOut!, { minHistory });
    }),
  );
  const [champion, challenger] = exams as [(typeof exams)[number], (typeof exams)[number]];
  expect(challenger.units.length).toBe({ 0: 6, 4: 4, 6: 2 }[minHistory]);
  expect(champion.units).toEqual(challenger.units);
  const asked = ({ questions }: typeof champion) => questions.map(({ unit, relevant }) => [unit, relevant.length]);
  expect(asked(champion)).toEqual(asked(challenger));
  const { items, exclude, relevant } = champion.questions.at(-1)!;
  // It knows nothing of the new films: they are neither said, nor excluded, nor within its reach.
  for (const item of [...items, ...exclude]) expect(item).toBeGreaterThanOrEqual(0);
  expect(relevant.filter((item) => item >= 0)).toHaveLength(0);
  expect(relevant.every((item) => item === -1)).toBe(true);
});
