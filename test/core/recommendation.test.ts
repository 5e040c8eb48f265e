import { describe, expect, test } from '@jest/globals';
import { taskOf } from '../../core/tasks/index.ts';
import { ask } from '../../core/tasks/recommendation-exam.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';
import type { Interactions } from '../../core/tasks/recommendation.ts';

const day = 86_400_000;
const asOfMs = 100 * day;

type Row = readonly [user: string, item: number, value: number, day: number];

const catalogue = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'].map((id, at) => ({
  id,
  title: id.toUpperCase(),
  categories: at % 2 === 0 ? ['even'] : ['odd', 'rare'].slice(0, at > 8 ? 2 : 1),
}));

function interactions(rows: readonly Row[], userIds: readonly string[]): Interactions {
  return {
    users: Int32Array.from(rows, ([user]) => userIds.indexOf(user)),
    items: Int32Array.from(rows, ([, item]) => item),
    values: Float32Array.from(rows, ([, , value]) => value),
    timesMs: Float64Array.from(rows, ([, , , at]) => at * day),
    userIds,
    catalogue,
    relevantFrom: 4,
    asOfMs,
  };
}

const known = interactions(
  [
    ['ann', 0, 5, 10],
    ['bob', 0, 2, 20],
    ['ann', 1, 3, 30],
    ['ann', 2, 4, 40],
    ['bob', 3, 4, 50],
    ['cid', 0, 5, 60],
  ],
  ['ann', 'bob', 'cid'],
);

describe('an exam', () => {
  test('asks each user who liked something new: liked items newest last, with ages, all met items excluded', () => {
    const { units, questions } = recommendation.exam(
      known,
      interactions(
        [
          ['ann', 5, 4, 101],
          ['bob', 6, 3.5, 102],
        ],
        ['ann', 'bob'],
      ),
    );
    expect(units).toEqual(['ann']);
    expect(questions).toEqual([{ unit: 'ann', items: [0, 2], values: [5, 4], agesDays: [90, 60], exclude: [0, 1, 2], relevant: [5] }]);
  });

  test('takes users by id, whatever their position, and examines those without a history', () => {
    const { questions } = recommendation.exam(
      known,
      interactions(
        [
          ['new', 7, 5, 101],
          ['cid', 7, 5, 101],
        ],
        ['new', 'cid'],
      ),
    );
    expect(questions.map(({ unit, items, exclude }) => ({ unit, items, exclude }))).toEqual([
      { unit: 'new', items: [], exclude: [] },
      { unit: 'cid', items: [0], exclude: [0] },
    ]);
  });

  test('leaves out who has too short a history, where that is asked for', () => {
    const heldOut = interactions(
      [
        ['ann', 7, 5, 101],
        ['bob', 7, 5, 101],
        ['cid', 7, 5, 101],
      ],
      ['ann', 'bob', 'cid'],
    );
    expect(recommendation.exam(known, heldOut, { minHistory: 2 }).units).toEqual(['ann', 'bob']);
    expect(recommendation.exam(known, heldOut, { minHistory: 3 }).units).toEqual(['ann']);
  });

  test('does not count what the user knew before, and counts an item once, but each unknown one', () => {
    const rows: Row[] = [
      ['ann', 0, 5, 101],
      ['ann', 4, 5, 102],
      ['ann', 4, 5, 103],
      ['ann', -1, 5, 104],
      ['ann', -1, 4, 105],
      ['bob', 3, 5, 106],
    ];
    const { units, questions } = recommendation.exam(known, interactions(rows, ['ann', 'bob']));
    expect(units).toEqual(['ann']);
    expect(questions[0]!.relevant).toEqual([4, -1, -1]);
  });

  test('sorts users into slices', () => {
    const many: Row[] = Array.from({ length: 25 }, (_, at) => ['ann', at % 4, 5, at]);
    const few: Row[] = [
      ['bob', 0, 5, 1],
      ['cid', 0, 5, 2],
      ['dan', 0, 5, 3],
    ];
    const users = ['ann', 'bob', 'cid', 'dan'];
    const heldOut = interactions(
      [
        ['ann', 4, 5, 101],
        ['bob', 9, 5, 101],
        ['cid', 2, 5, 101],
        ['dan', -1, 5, 101],
      ],
      users,
    );
    const { slices } = recommendation.exam(interactions([...many, ...few], users), heldOut);
    expect(slices).toEqual({
      'new-users': [false, true, true, true],
      'heavy-users': [true, false, false, false],
      'rare-items': [true, true, false, false],
      'category:even': [true, false, true, false],
      'category:odd': [false, true, false, false],
      'category:rare': [false, true, false, false],
    });
  });
});

describe('a question', () => {
  test('counts an item that was met twice as it was met last', () => {
    const history = { items: [1, 2, 1, 3, 2], values: [5, 5, 2, 4, 4.5], timesMs: [1, 2, 3, 4, 5].map((at) => at * day) };
    expect(ask('u', history, known)).toMatchObject({ items: [3, 2], values: [4, 4.5], agesDays: [96, 95], exclude: [1, 3, 2] });
  });

  test('never has a negative age', () => {
    expect(ask('u', { items: [1], values: [5], timesMs: [200 * day] }, known).agesDays).toEqual([0]);
  });

  test('is fed to the model in the types of the signature', () => {
    const feeds = recommendation.feeds({ unit: 'u', items: [3, 1], values: [5, 4], agesDays: [2.5, 0], exclude: [], relevant: [] });
    expect(feeds).toEqual({
      items: { type: 'int64', dims: [2], data: BigInt64Array.of(3n, 1n) },
      values: { type: 'float32', dims: [2], data: Float32Array.of(5, 4) },
      ages: { type: 'float32', dims: [2], data: Float32Array.of(2.5, 0) },
    });
    expect(recommendation.signature({}).inputs.map(({ name, type }) => [name, type])).toEqual(
      Object.entries(feeds).map(([name, { type }]) => [name, type]),
    );
  });

  test('of a golden example is made up: nobody’s own history, the first of a newcomer, the same each time', () => {
    const examples = recommendation.examples(known, 6);
    expect(examples).toHaveLength(6);
    expect(examples[0]).toMatchObject({ items: [], exclude: [] });
    for (const { items } of examples) expect(items.every((item) => item >= 0 && item < catalogue.length)).toBe(true);
    expect(recommendation.examples(known, 6)).toEqual(examples);
  });
});

describe('an answer', () => {
  const scores = (values: readonly number[]) => ({ scores: { type: 'float32', dims: [values.length], data: Float32Array.from(values) } }) as const;
  const question = { unit: 'u', items: [], values: [], agesDays: [], exclude: [1, 3], relevant: [] };

  test('is the best ten that the user does not know, ties to the earlier position', () => {
    const { items, scores: best } = recommendation.answer(question, scores([1, 9, 2, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0]));
    expect(items).toEqual([2, 4, 0, 5, 6, 7, 8, 9, 10, 11]);
    expect(best).toEqual([2, 2, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('may be longer or shorter for a server', () => {
    expect(recommendation.answer(question, scores([1, 9, 2, 9, 2]), 2).items).toEqual([2, 4]);
    expect(recommendation.answer(question, scores(Array.from({ length: 40 }, () => 0)), 30).items).toHaveLength(30);
  });

  test('has no items that the model scores −∞', () => {
    expect(recommendation.answer(question, scores([-Infinity, 1, 5, 1, -Infinity])).items).toEqual([2]);
  });

  test('needs scores', () => {
    expect(() => recommendation.answer(question, {})).toThrow(expect.objectContaining({ code: 'ModelInvalid' }));
  });
});

describe('the marks', () => {
  const heldOut = interactions(
    [
      ['ann', 3, 5, 101],
      ['ann', -1, 5, 101],
      ['bob', 1, 5, 102],
    ],
    ['ann', 'bob'],
  );
  const exam = recommendation.exam(known, heldOut);
  const rankings = [
    { items: [3, 5], scores: [1, 0] },
    { items: [2], scores: [1] },
  ];
  const marks = recommendation.mark(exam, rankings, known);
  const of = (metric: keyof typeof recommendation.metrics) => recommendation.metrics[metric].of(marks)();

  test('give every metric by hand', () => {
    const ideal = 1 + 1 / Math.log2(3);
    expect(of('ndcg@10')).toBeCloseTo(1 / ideal / 2, 12);
    expect(of('recall@10')).toBeCloseTo((1 / 2 + 0) / 2, 12);
    expect(of('hr@10')).toBe(1 / 2);
    expect(of('map@10')).toBeCloseTo((1 / 2 + 0) / 2, 12);
    expect(of('coverage@10')).toBeCloseTo(3 / 12, 12);
    // d was met by one of three users, c by one, f by nobody (it counts as met once).
    expect(of('novelty@10')).toBeCloseTo(Math.log2(3), 12);
  });

  test('name the recommended items by id, so that catalogues of several folds can be compared', () => {
    expect(marks.answers).toEqual([['d', 'f'], ['c']]);
  });

  test('need one answer per question', () => {
    expect(() => recommendation.mark(exam, [], known)).toThrow(expect.objectContaining({ code: 'Bug' }));
  });
});

describe('the task table', () => {
  test('finds a task by its kind', () => expect(taskOf('recommendation')).toBe(recommendation));

  test.each(['regression-of-tea-leaves', 'toString'])('refuses "%s"', (kind) => {
    expect(() => taskOf(kind as 'recommendation')).toThrow(expect.objectContaining({ code: 'TaskUnknown' }));
  });

  test('accepts a target, and refuses one with a misspelt field', () => {
    const target = { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4 };
    expect(recommendation.target.parse(target)).toEqual(target);
    expect(recommendation.target.safeParse({ ...target, relevantForm: 4 }).success).toBe(false);
  });
});
