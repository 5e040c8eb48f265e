import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { SourceSpec, SplitSpec } from '../../core/model-spec.ts';
import { checkContract } from '../../data/contract.ts';
import { encodeInteractions } from '../../data/encode.ts';
import { type UserHistory, writeHistory } from '../../data/history.ts';
import { checkLeak } from '../../data/leak.ts';
import { buildRows } from '../../data/rows.ts';
import { splitRows } from '../../data/split.ts';
import { realData } from '../support/real-data.ts';
import { contextOf, query, scratchFolder } from './scratch.ts';
import { snapshotSource } from './source.ts';

const folder = realData('movielens-latest-small');

const sources = {
  movies: { from: 'files:/movies.csv', read: 'csv', key: ['movieId'], columns: { movieId: 'key', title: 'text', genres: 'text' } },
  ratings: {
    from: 'files:/ratings.csv',
    read: 'csv',
    key: ['userId', 'movieId'],
    time: 'ratedAt',
    columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: { kind: 'time', named: 'timestamp', unit: 's' } },
  },
} as const satisfies Record<string, SourceSpec>;

const spec = {
  sources,
  contract: [
    { check: 'range', of: 'ratings.rating', min: 0.5, max: 5 },
    { check: 'references', of: 'ratings.movieId', to: 'movies.movieId' },
  ],
  rows: { sql: 'SELECT userId, movieId, rating, ratedAt FROM ratings SEMI JOIN movies USING (movieId)', key: ['userId', 'movieId'], time: 'ratedAt' },
} as const;
const target = {
  user: 'userId',
  item: 'movieId',
  value: 'rating',
  relevantFrom: 4,
  describe: { source: 'movies', title: 'title', categories: 'genres' },
} as const;

async function prepare() {
  const work = scratchFolder();
  const snapshots: Record<string, string> = {};
  for (const [name, source] of Object.entries(sources)) {
    snapshots[name] = join(work, `${name}.parquet`);
    const connections = { files: { kind: 'folder', path: folder! } as const };
    await snapshotSource({ name, source, connections, readSecret: async () => '', out: snapshots[name], resume: work }, contextOf());
  }
  const rows = join(work, 'rows.parquet');
  const { window } = await buildRows({ spec, snapshots, out: rows }, contextOf());
  const splitBy = (split: SplitSpec) => splitRows({ rows, split, key: spec.rows.key, time: 'ratedAt', folder: work }, contextOf());
  return { work, snapshots, rows, window, splitBy };
}

const lastFive: SplitSpec = { by: 'last-per', column: 'userId', validation: 5, test: 5 };

/** Origin, training, validation and test rows, by pandas: test/oracles/movielens-splits.py. */
const origins = [
  ['2000-01-01', 8463, 2439, 10061],
  ['2001-01-01', 10912, 10051, 3922],
  ['2002-01-01', 20963, 3922, 3478],
  ['2003-01-01', 24885, 3478, 4014],
  ['2004-01-01', 28363, 4014, 3273],
  ['2005-01-01', 32378, 3278, 5813],
  ['2006-01-01', 35656, 5813, 4059],
  ['2007-01-01', 41469, 4059, 7114],
  ['2008-01-01', 45528, 7114, 4345],
  ['2009-01-01', 52644, 4349, 4158],
  ['2010-01-01', 56993, 4158, 2301],
  ['2011-01-01', 61151, 2301, 1690],
  ['2012-01-01', 63452, 1690, 4656],
  ['2013-01-01', 65150, 4648, 1664],
  ['2014-01-01', 69798, 1664, 1439],
  ['2015-01-01', 71462, 1439, 6616],
  ['2016-01-01', 72901, 6616, 6682],
  ['2017-01-01', 79518, 6702, 8198],
  ['2018-01-01', 86220, 8198, 6418],
] as const;

(folder ? describe : describe.skip)('MovieLens', () => {
  const prepared = folder ? prepare() : undefined!;

  test('keeps its contract', async () => {
    const { snapshots } = await prepared;
    const report = await checkContract({ spec, snapshots }, contextOf());
    expect(report).toEqual({ format: 1, passed: true, checks: 9, sources: { movies: { rows: 9742 }, ratings: { rows: 100_836 } }, violations: [] });
  });

  test('is split by the last ratings of each user as pandas splits it, ties by film id as a number', async () => {
    const { splitBy } = await prepared;
    const [fold, ...more] = await splitBy(lastFive);
    expect(more).toEqual([]);
    expect(fold).toMatchObject({ name: 'last-per', parts: { train: 94_736, validation: 3050, test: 3050 } });
    const keys = await query(
      `SELECT userId || ',' || movieId AS k FROM '${fold!.path}' WHERE part = 'test' ORDER BY userId::INT, movieId::INT`,
      fold!.path,
    );
    const digest = createHash('sha256')
      .update(keys.map(({ k }) => k).join('\n'))
      .digest('hex');
    expect(digest).toBe('22be30d6ea97edb09164771bad606f78d0e821e36f8282bf7862d32774c80844');
  });

  test('is encoded for trainers: 542 users have a relevant test film, the best known film comes first', async () => {
    const { splitBy, rows, snapshots } = await prepared;
    const [fold] = await splitBy(lastFive);
    const started = performance.now();
    const { known, heldOut } = await encodeInteractions(
      {
        rows,
        key: spec.rows.key,
        time: 'ratedAt',
        target,
        split: fold!.path,
        heldOut: 'test',
        items: { snapshot: snapshots['movies']!, key: 'movieId' },
      },
      contextOf(),
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(known.users.length).toBe(94_736);
    expect(known.catalogue.length).toBe(9530);
    expect(known.catalogue.slice(0, 5).map(({ id }) => id)).toEqual(['356', '296', '318', '2571', '593']);
    expect(known.catalogue[0]).toEqual({ id: '356', title: 'Forrest Gump (1994)', categories: ['Comedy', 'Drama', 'Romance', 'War'] });
    expect(known.userIds.slice(0, 3)).toEqual(['1', '2', '3']);
    expect(known.asOfMs).toBe(1_537_158_460_000);
    expect(known.timesMs.every((time, i) => i === 0 || time >= known.timesMs[i - 1]!)).toBe(true);
    expect(known.items.every((item) => item >= 0)).toBe(true);
    expect(heldOut!.users.length).toBe(3050);
    expect(heldOut!.items.filter((item) => item === -1).length).toBe(113);
    const relevant = new Set(heldOut!.users.filter((_, i) => heldOut!.values[i]! >= 4));
    expect(relevant.size).toBe(542);
    expect(heldOut!.userIds).toEqual(known.userIds);
  });

  test('is split at rolling origins as pandas splits it', async () => {
    const { splitBy } = await prepared;
    const folds = await splitBy({ by: 'rolling-origin', from: '2000-01-01', to: '2018-01-01', every: '1y', horizon: '365d' });
    expect(folds.map(({ name, parts }) => [name.replace('origin-', ''), parts.train, parts.validation, parts.test])).toEqual(origins);
    expect(folds[0]!.testFrom).toBe('2000-01-01T00:00:00.000Z');
    const whole = await splitBy({ by: 'rolling-origin', from: '2015-01-01', every: '1y', horizon: '365d' });
    expect(whole.map(({ name }) => name)).toEqual(['origin-2015-01-01', 'origin-2016-01-01', 'origin-2017-01-01']);
  });

  test('has no leak in its rows, whichever way they are split', async () => {
    const { splitBy, rows, snapshots, window } = await prepared;
    const [lastPer] = await splitBy(lastFive);
    const byOrigin = (await splitBy({ by: 'rolling-origin', from: '2016-01-01', to: '2016-01-01', every: '1y', horizon: '365d' }))[0]!;
    expect(await checkLeak({ spec, snapshots, rows, window, fold: lastPer! }, contextOf())).toEqual({
      cut: 'key',
      sources: ['ratings'],
      rows: 97_786,
    });
    expect(await checkLeak({ spec, snapshots, rows, window, fold: byOrigin }, contextOf())).toMatchObject({ cut: 'time', sources: ['ratings'] });
  });

  test('gives histories by user, newest last, the same bytes each time', async () => {
    const { rows, work } = await prepared;
    const [a, b] = [join(work, 'a.jsonl.gz'), join(work, 'b.jsonl.gz')];
    expect(await writeHistory({ rows, target, time: 'ratedAt', out: a }, contextOf())).toEqual({ users: 610 });
    await writeHistory({ rows, target, time: 'ratedAt', out: b }, contextOf());
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    const lines = gunzipSync(readFileSync(a)).toString('utf8').trimEnd().split('\n');
    const histories = lines.map((line) => JSON.parse(line) as UserHistory);
    expect(histories.map(({ user }) => user).slice(0, 3)).toEqual(['1', '2', '3']);
    expect(histories.reduce((sum, { items }) => sum + items.length, 0)).toBe(100_836);
    expect(histories[0]!.items.at(-1)).toEqual(['2492', 4, 965_719_662_000]);
    expect(readFileSync(a).subarray(4, 10)).toEqual(Buffer.from([0, 0, 0, 0, 0, 255]));
  });
});
