import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { MlError } from '../../core/errors.ts';
import { parseSpec, type SpecFault } from '../../core/spec-schema.ts';
import { tasks } from '../../core/tasks/index.ts';

const fragments = {
  tasks,
  trainers: {
    ease: z.strictObject({ l2: z.number().positive().default(300), halfLifeDays: z.number().positive().nullable().default(null) }),
    popularity: z.strictObject({}),
  },
};

const minimal = {
  format: 1,
  name: 'movie-recommender',
  task: 'recommendation',
  sources: {
    movies: { from: 'catalogue:/movies.csv', read: 'csv', key: ['movieId'], columns: { movieId: 'key', title: 'text', genres: 'text' } },
    ratings: {
      from: 'user-data-api:/v1/ratings',
      read: 'json-pages',
      key: ['userId', 'movieId'],
      time: 'ratedAt',
      columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: { kind: 'time', named: 'timestamp', unit: 's' } },
    },
  },
  rows: { sql: 'SELECT * FROM ratings', key: ['userId', 'movieId'], time: 'ratedAt' },
  target: { user: 'userId', item: 'movieId', value: 'rating', relevantFrom: 4 },
  split: { by: 'last-per', column: 'userId', validation: 5, test: 5 },
  train: [{ trainer: 'ease', try: { l2: [100, 300] } }],
} as const;

type Changes = Record<string, unknown>;

/** A copy with some paths replaced: `{ 'sources.movies.from': … }`. */
function changed(changes: Changes): unknown {
  const copy = structuredClone(minimal) as unknown as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split('.');
    let at = copy;
    for (const step of steps.slice(0, -1)) at = (at[step] ??= {}) as Record<string, unknown>;
    if (value === undefined) delete at[steps.at(-1)!];
    else at[steps.at(-1)!] = value;
  }
  return copy;
}

/** A spec of a table with one floor. */
const tableFloor = (slice: string, metric: string): Changes => ({
  ...{ task: 'binary', target: { column: 'rating' }, request: { userId: 'key', ratedAt: 'time' }, slices: ['movieId'] },
  gate: { metric: 'roc-auc', floors: [{ slice, metric, min: 0.1 }] },
});

/** A spec of a table that is asked with a text, encoded so. */
const encoded = (...title: readonly unknown[]): Changes => ({
  ...{ task: 'binary', target: { column: 'rating' }, request: { title: 'text', rating: 'number' }, encode: { title } },
  gate: { metric: 'roc-auc' },
});

/** A spec of a regression that asks for intervals. */
const bounded: Changes = { task: 'regression', target: { column: 'rating' }, request: { ratedAt: 'time' }, interval: { coverage: 0.8 } };

const calling: Changes = { ...bounded, task: 'binary', interval: undefined, threshold: { falsePositive: 1, falseNegative: 9 } };

const floor = (slice: string, metric: string): Changes => ({ gate: { metric: 'ndcg@10', floors: [{ slice, metric, min: 0.1 }] } });

function faults(changes: Changes): readonly SpecFault[] {
  try {
    parseSpec(changed(changes), fragments);
  } catch (error) {
    if (error instanceof MlError && error.code === 'SpecInvalid') return error.facts['faults'] as SpecFault[];
    throw error;
  }
  throw new Error('the spec was accepted');
}

describe('a spec', () => {
  test('is completed with its defaults, and parsing it again changes nothing', () => {
    const spec = parseSpec(
      changed({
        contract: [{ check: 'not-null', of: 'ratings.rating' }],
        gate: { metric: 'ndcg@10', floors: [{ slice: 'all', metric: 'recall@10', min: 0.03 }] },
        retrain: { cron: '0 3 * * *' },
      }),
      fragments,
    );
    expect(spec).toMatchObject({
      contract: [{ check: 'not-null', of: 'ratings.rating', maxShare: 0, severity: 'fail' }],
      gate: { metric: 'ndcg@10', confidence: 0.95, floors: [{ slice: 'all', metric: 'recall@10', min: 0.03, minUnits: 20 }] },
      retrain: { cron: '0 3 * * *', when: ['new-data'], overlap: 'skip', catchUp: '1d' },
      refit: 'all',
    });
    expect(parseSpec(spec, fragments)).toEqual(spec);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  });

  test.each<[string, Changes, string, string]>([
    ['an unknown field', { splitt: {} }, 'splitt', 'unknown field "splitt"; did you mean "split"?'],
    ['an approval without a time', { approval: { role: 'approver' } }, 'approval.within', 'is missing'],
    ['an approval whose time has no fixed length', { approval: { role: 'approver', within: '1mo' } }, 'approval.within', 'fixed length'],
    ['an unknown field of a source', { 'sources.movies.raed': 'csv' }, 'sources.movies.raed', 'did you mean "read"?'],
    [
      'an unknown field of a column',
      { 'sources.movies.columns.title': { kind: 'text', name: 'x' } },
      'sources.movies.columns.title.name',
      'unknown field "name"; did you mean "named"?',
    ],
    ['an unknown column kind', { 'sources.movies.columns.title': 'txt' }, 'sources.movies.columns.title', '"txt" is not one of'],
    ['a kind that is not read yet', { 'sources.movies.columns.title': 'image' }, 'sources.movies.columns.title', '"image" is not one of'],
    ['an unknown reader', { 'sources.movies.read': 'cvs' }, 'sources.movies.read', 'did you mean "csv"?'],
    ['a name that would leave its folder', { name: '../movies' }, 'name', '"../movies" is not a name'],
    ['a name in capitals', { name: 'Movies' }, 'name', 'lower-case'],
    ['a URL', { 'sources.movies.from': 'https://example.org/movies.csv' }, 'sources.movies.from', 'holds a URL; name a connection'],
    ['a path that leaves its connection', { 'sources.movies.from': 'catalogue:/../secret.csv' }, 'sources.movies.from', 'leaves its connection'],
    [
      'an encrypted file of another form',
      { 'sources.movies.from': 'catalogue:/movies.json.age', 'sources.movies.read': 'json' },
      'sources.movies.read',
      'only csv',
    ],
    [
      'a pseudonym of what is no key',
      { 'sources.movies.columns.title': { kind: 'text', pseudonym: true } },
      'sources.movies.columns.title',
      'declare a key',
    ],
    [
      'a pseudonym in pages',
      { 'sources.ratings.columns.userId': { kind: 'key', pseudonym: true } },
      'sources.ratings.columns.userId',
      'only csv is read with pseudonyms',
    ],
    [
      'a pseudonym beside its value',
      { 'sources.movies.columns.movieId': { kind: 'key', pseudonym: true }, 'sources.movies.columns.raw': { kind: 'key', named: 'movieId' } },
      'sources.movies.columns.movieId',
      'beside its pseudonym',
    ],
    [
      'a pseudonym that is none',
      { 'sources.movies.columns.movieId': { kind: 'key', pseudonym: false } },
      'sources.movies.columns.movieId.pseudonym',
      'true',
    ],
    ['a place without a connection', { 'sources.movies.from': '/etc/passwd' }, 'sources.movies.from', 'not of the form "connection:/path"'],
    ['a key that is no column', { 'sources.movies.key': ['movieID'] }, 'sources.movies.key[0]', 'did you mean "movieId"?'],
    ['a time that is no column', { 'sources.ratings.time': 'rated' }, 'sources.ratings.time', 'there is no column "rated"'],
    ['a time that is text', { 'sources.movies.time': 'title' }, 'sources.movies.time', 'is a text: declare it as time'],
    ['an unknown task', { task: 'recomendation' }, 'task', 'did you mean "recommendation"?'],
    ['a fault in the target', { 'target.relevantFrom': 'four' }, 'target.relevantFrom', '"four" is not a number'],
    ['an unknown trainer', { train: [{ trainer: 'eas' }] }, 'train[0].trainer', 'did you mean "ease"?'],
    [
      'an unknown parameter',
      { train: [{ trainer: 'ease', try: { l22: [1] } }] },
      'train[0].try.l22',
      'there is no parameter "l22"; did you mean "l2"?',
    ],
    ['a bad parameter', { train: [{ trainer: 'ease', with: { l2: -1 } }] }, 'train[0].with.l2', '>0'],
    ['a bad candidate', { train: [{ trainer: 'ease', try: { l2: [1, 'x'] } }] }, 'train[0].try.l2[1]', 'expected number'],
    [
      'a parameter that is given and tried',
      { train: [{ trainer: 'ease', with: { l2: 1 }, try: { l2: [1] } }] },
      'train[0].try.l2',
      'either given or tried',
    ],
    ['no candidates', { train: [] }, 'train', ''],
    [
      'a check of what is not there',
      { contract: [{ check: 'range', of: 'ratings.raiting', min: 1 }] },
      'contract[0].of',
      'did you mean "ratings.rating"?',
    ],
    ['an unknown check', { contract: [{ check: 'ranges', of: 'ratings.rating' }] }, 'contract[0].check', 'did you mean "range"?'],
    ['a range without bounds', { contract: [{ check: 'range', of: 'ratings.rating' }] }, 'contract[0]', 'needs "min", "max" or both'],
    ['a duration in words', { window: { last: 'three months' } }, 'window.last', 'is not a duration'],
    ['an empty window', { window: { from: '2024-02-01', to: '2024-01-01' } }, 'window', 'it is empty'],
    ['a date without a zone', { window: { from: '2024-02-01T10:00:00', to: '2024-03-01' } }, 'window.from', 'not a date or an instant in UTC'],
    ['a segment by an expression', { segments: { by: 'year(ratedAt)' } }, 'segments.by', 'month-of-year(column)'],
    ['segments that name no values', { segments: { by: 'ratedAt' } }, 'segments.only', 'name the values that are segments'],
    ['a segment that has no label', { segments: { by: 'ratedAt', only: ['a', '***'] } }, 'segments.only[1]', 'cannot name a segment'],
    ['a metric that is misspelt', { gate: { metric: 'ndgc@10' } }, 'gate.metric', 'there is no metric "ndgc@10"; did you mean "ndcg@10"?'],
    [
      'a baseline that is misspelt',
      { gate: { metric: 'ndcg@10', baselines: ['popularity', 'popularities'] } },
      'gate.baselines[1]',
      'did you mean "popularity"?',
    ],
    ['a baseline model without a name', { gate: { metric: 'ndcg@10', baselines: ['model:'] } }, 'gate.baselines[0]', '"" is not a name'],
    [
      'a baseline model called as a role',
      { gate: { metric: 'ndcg@10', baselines: ['model:champion'] } },
      'gate.baselines[0]',
      'give the model another name',
    ],
    [
      'a baseline model called as a baseline',
      { gate: { metric: 'ndcg@10', baselines: ['model:random'] } },
      'gate.baselines[0]',
      '"random" is somebody else',
    ],
    ['a floor of a slice that is misspelt', floor('new-user', 'recall@10'), 'gate.floors[0].slice', 'did you mean "new-users"?'],
    ['a floor of a category without a name', floor('category:', 'recall@10'), 'gate.floors[0].slice', 'there is no slice "category:"'],
    ['a floor of a metric that is misspelt', floor('category:Drama', 'recal@10'), 'gate.floors[0].metric', 'did you mean "recall@10"?'],
    ['a floor of a metric that no slice has', floor('new-users', 'coverage@10'), 'gate.floors[0].metric', 'describes all answers together'],
    ['a floor of a column that has no slices', tableFloor('movie=1', 'roc-auc'), 'gate.floors[0].slice', 'there are all, movieId=<value>'],
    ['a floor of a metric that should be low', tableFloor('movieId=1', 'log-loss'), 'gate.floors[0].metric', 'is better the lower it is'],
    ['an encoding that is not of its kind', encoded('code'), 'encode.title[0]', 'there is no encoding "code" of a text'],
    ['an encoding by no term', encoded({ as: 'tf-idf', terms: 0 }), 'encode.title[0].terms', '1'],
    ['an encoding by too many terms', encoded({ as: 'tf-idf', terms: 2001 }), 'encode.title[0].terms', '2000'],
    ['an encoding with another field', encoded({ as: 'tf-idf', terms: 9, rare: 2 }), 'encode.title[0].rare', 'unknown field'],
    ['one encoding twice', encoded('tf-idf', { as: 'tf-idf', terms: 9 }), 'encode.title[1]', '"tf-idf" is there already'],
    ['a split that is not known', { split: { by: 'random' } }, 'split.by', '"random"'],
    ['a test part of nothing', { 'split.test': 0 }, 'split.test', ''],
    ['intervals of a probability', { ...bounded, task: 'binary' }, 'interval', 'the task "binary" has no interval'],
    ['intervals of a ranking', { interval: { coverage: 0.8 } }, 'interval', 'the task "recommendation" has no interval'],
    ['an interval that holds all', { ...bounded, interval: { coverage: 1 } }, 'interval.coverage', '0.999'],
    ['an interval by another word', { ...bounded, interval: { coverage: 0.8, width: 3 } }, 'interval.width', 'unknown field "width"'],
    ['an interval and no rows to learn it from', { ...bounded, 'split.validation': 0 }, 'split.validation', 'hold some out'],
    ['an input that is called as a bound is', { ...bounded, request: { upper: 'number' } }, 'request.upper', 'an answer has "upper", too'],
    [
      'a floor of intervals that it does not ask for',
      { ...bounded, interval: undefined, gate: { metric: 'mae', floors: [{ slice: 'all', metric: 'interval-coverage', min: 0.7 }] } },
      'gate.floors[0].metric',
      'there is no metric "interval-coverage"',
    ],
    [
      'a floor of how wide intervals are',
      { ...bounded, gate: { metric: 'mae', floors: [{ slice: 'all', metric: 'interval-width', min: 0.7 }] } },
      'gate.floors[0].metric',
      'better the lower it is',
    ],
    ['calls of a number', { ...bounded, interval: undefined, threshold: { falsePositive: 1, falseNegative: 9 } }, 'threshold', 'has no threshold'],
    ['a wrong call that costs nothing', { ...calling, threshold: { falsePositive: 0, falseNegative: 9 } }, 'threshold.falsePositive', '>0'],
    ['half of a cost', { ...calling, threshold: { falsePositive: 1 } }, 'threshold.falseNegative', 'is missing'],
    ['a calibration that is not known', { ...calling, calibration: 'isotone' }, 'calibration', 'did you mean "isotonic"?'],
    ['an input that is called as an answer is', { ...calling, request: { positive: 'flag' } }, 'request.positive', 'an answer has "positive", too'],
    ['a cron of four fields', { retrain: { cron: '0 3 * *' } }, 'retrain.cron', 'five fields'],
    ['another format', { format: 2 }, 'format', '2 is not one of 1'],
    ['a missing field', { rows: undefined }, 'rows', 'is missing'],
  ])('with %s is refused by name', (_, changes, path, message) => {
    const found = faults(changes);
    expect(found).toHaveLength(1);
    expect(found[0]!.path).toBe(path);
    expect(found[0]!.message).toContain(message);
  });

  test('is refused with all its faults at once', () => {
    expect(
      faults({ name: 'X', 'split.test': -1, 'sources.movies.raed': 'csv' })
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['name', 'sources.movies.raed', 'split.test']);
  });

  test.each([null, 'text', [], 7])('is not %j', (value) => {
    expect(() => parseSpec(value, fragments)).toThrow(MlError);
  });

  test.each(['__proto__', 'constructor'])('with the task or trainer "%s" finds none', (name) => {
    expect(faults({ task: name })[0]!.path).toBe('task');
    expect(faults({ train: [{ trainer: name }] })[0]!.path).toBe('train[0].trainer');
  });
});
