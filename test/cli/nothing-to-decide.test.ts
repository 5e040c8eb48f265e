import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { byGenre, films } from '../serving/films.ts';
import { openShop } from '../serving/shop.ts';
import type { Shop } from '../serving/shop.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

let shop: Shop;
let here: Surroundings;
let removeProject: () => Promise<void>;

const place = { model: 'recommender', segment: 'all' };

/** Version 1 was champion, 2 is, 3 lost, 4 is retired, 5 was rejected. No Temporal runs: what is told is what the log knows. */
beforeAll(async () => {
  const made = await makeProject({});
  removeProject = made.remove;
  shop = await openShop();
  here = { project: made.folder, home: shop.folder };
  const { registry } = shop;
  const release = { model: 'recommender', onnx: byGenre(), items: films };
  for (const [n, trainer] of ['a', 'b', 'c', 'd', 'e'].entries()) await (n < 2 ? shop.release : shop.register)({ ...release, trainer });
  const ada = { by: 'ada', run: null };
  const verdict = { name: 'worse', reasons: [], metric: 'ndcg@10', value: 0, gains: [] } as const;
  await registry.judged(place, { version: 3, verdict, against: 2 }, ada);
  await registry.retire(place, { version: 4, reason: 'a test says so' }, ada);
  await registry.judged(
    place,
    { version: 5, verdict: { ...verdict, name: 'better' }, against: 2, approval: { role: 'approver', within: '1h' } },
    ada,
  );
  const { versions } = await registry.state(place);
  const { package: pack, evaluation } = versions[4]!;
  const subject = { package: pack.sha256, evaluation: evaluation.sha256, expect: 2 };
  await registry.decide(place, { version: 5, decision: 'rejected', ...subject, reason: 'the week of the outage', proof: { how: 'claimed' } }, ada);
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

describe.each(['approve', 'reject'])('%s, of what awaits no decision, says at once what it is', (verb) => {
  test.each([
    [1, 'it was champion before: `perennial rollback recommender/all --to 1`'],
    [2, 'it is the champion already\n'],
    [3, 'it was judged worse, and serves nobody. To bring it all the same: `perennial promote recommender/all@3`'],
    [4, 'it is retired, and cannot be brought again\n'],
  ])('version %d', async (version, standing) => {
    const { code, stderr } = await perennial(here, verb, `recommender@${version}`, '--reason', 'so it is');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`recommender/all@${version} awaits no decision: ${standing}`) });
  });
});

test('a version that was decided otherwise says by whom, when and why', async () => {
  const { code, stderr } = await perennial(here, 'approve', 'recommender@5');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/\[DecisionTaken\]: recommender\/all@5 is rejected since .* by ada \(entry \d+: the week of the outage\)/),
  });
});

test('promote of the champion says at once that it is, and needs no Temporal for it', async () => {
  const { code, stderr } = await perennial(here, 'promote', 'recommender@2', '--reason', 'so it is');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('recommender/all@2 is the champion already: there is nothing to promote'),
  });
});
