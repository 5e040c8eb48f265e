import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { SourceSpec } from '../../core/model-spec.ts';
import { realData } from '../support/real-data.ts';
import { contextOf, parquetOf, query, rejection, scratchFolder, shownBy } from './scratch.ts';
import { observeSource, snapshotSource } from './source.ts';

const readSecret = async () => 'unused';

function folderSource(folder: string, file: string, source: Omit<SourceSpec, 'from'>) {
  return {
    name: 'things',
    source: { from: `files:/${file}`, ...source } as SourceSpec,
    connections: { files: { kind: 'folder', path: folder } as const },
    readSecret,
  };
}

const columns = { id: 'key', amount: 'number', count: 'integer', at: 'time', kind: 'category', note: 'text', good: 'flag' } as const;

async function snapshotOf(folder: string, file: string, source: Omit<SourceSpec, 'from'>) {
  const out = join(scratchFolder(), 'snapshot.parquet');
  const facts = await snapshotSource({ ...folderSource(folder, file, source), out, resume: scratchFolder() }, contextOf());
  return { out, facts, rows: await query(`SELECT * FROM '${out}'`, out) };
}

function fileOf(name: string, content: string | Uint8Array): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, name), content);
  return folder;
}

const expected = [
  { id: '2', amount: 1.5, count: '3', at: '2024-01-02 03:04:05', kind: 'a', note: 'plain', good: true },
  { id: '10', amount: -2, count: null, at: '2024-01-02 00:04:05', kind: 'b', note: 'with "quotes", and a comma', good: false },
  { id: 'x', amount: null, count: '0', at: null, kind: null, note: null, good: null },
];

const csvText = `id,amount,count,at,kind,note,good,unused
x,NaN,0,,,,,1
10,-2,,2024-01-02T02:04:05+02:00,b,"with ""quotes"", and a comma",false,1
2,1.5,3,2024-01-02 03:04:05,a,plain,true,1
`;
const objects = [
  { id: 'x', amount: null, count: 0 },
  { id: 10, amount: -2, at: '2024-01-02T02:04:05+02:00', kind: 'b', note: 'with "quotes", and a comma', good: false },
  { id: 2, amount: 1.5, count: 3, at: '2024-01-02T03:04:05Z', kind: 'a', note: 'plain', good: true },
];

describe('a snapshot', () => {
  test.each([
    ['CSV', 'things.csv', 'csv', csvText],
    ['packed CSV', 'things.csv.gz', 'csv', gzipSync(csvText)],
    ['CSV with Windows line ends and a byte order mark', 'things.csv', 'csv', `\uFEFF${csvText.replaceAll('\n', '\r\n')}`],
    ['JSON', 'things.json', 'json', JSON.stringify(objects)],
    ['JSON lines', 'things.jsonl', 'json-lines', objects.map((row) => JSON.stringify(row)).join('\n')],
  ] as const)('of %s has the declared columns in their types, sorted by key', async (_, name, read, content) => {
    const { rows, facts } = await snapshotOf(fileOf(name, content), name, { read, key: ['id'], time: 'at', columns });
    expect(rows).toEqual(expected);
    expect(facts).toMatchObject({ rows: 3, timeFrom: '2024-01-02T00:04:05.000Z', timeTo: '2024-01-02T03:04:05.000Z' });
  });

  test('of several Parquet files is one, by column name', async () => {
    const folder = scratchFolder();
    for (const month of [1, 2]) {
      const made = await parquetOf(`SELECT ${month} AS id, ${month === 1 ? '1.5 AS amount, ' : ''} TIMESTAMP '2024-0${month}-01' AS at`);
      writeFileSync(join(folder, `part-${month}.parquet`), readFileSync(made));
    }
    const { rows } = await snapshotOf(folder, 'part-*.parquet', {
      read: 'parquet',
      key: ['id'],
      columns: { id: 'key', amount: 'number', at: 'time' },
    });
    expect(rows).toEqual([
      { id: '1', amount: 1.5, at: '2024-01-01 00:00:00' },
      { id: '2', amount: null, at: '2024-02-01 00:00:00' },
    ]);
  });

  test('renames columns and reads times in seconds and milliseconds', async () => {
    const folder = fileOf('t.csv', 'user,ts,ms\n1,964982703,964982703123\n');
    const { rows } = await snapshotOf(folder, 't.csv', {
      read: 'csv',
      key: ['id'],
      columns: { id: { kind: 'key', named: 'user' }, at: { kind: 'time', named: 'ts', unit: 's' }, ms: { kind: 'time', unit: 'ms' } },
    });
    expect(rows).toEqual([{ id: '1', at: '2000-07-30 18:45:03', ms: '2000-07-30 18:45:03.123' }]);
  });

  test('has the same bytes for the same rows in another order, also where a key is not unique', async () => {
    const lines = Array.from({ length: 150_000 }, (_, i) => `${i % 1000},${(i * 7919) % 150_001}`);
    const source = { read: 'csv', key: ['id'], columns: { id: 'key', amount: 'number' } } as const;
    const a = await snapshotOf(fileOf('t.csv', `id,amount\n${lines.join('\n')}\n`), 't.csv', source);
    const b = await snapshotOf(fileOf('t.csv', `id,amount\n${lines.toReversed().join('\n')}\n`), 't.csv', source);
    expect(readFileSync(a.out).equals(readFileSync(b.out))).toBe(true);
    expect(a.facts.sourceSha256).not.toBe(b.facts.sourceSha256);
  });

  test.each([
    ['a number', 'amount', '1,abc\n2,3\n', 'declared as number, but 1 of 2 values are not'],
    ['a number, although infinite', 'amount', '1,inf\n', 'but 1 of 1 values are not'],
    ['an integer', 'count', '1,1.5\n', 'declared as integer'],
    ['a time', 'at', '1,yesterday\n', 'declared as time'],
    ['a time, but for ever', 'at', '1,infinity\n', 'declared as time'],
    ['a flag', 'good', '1,maybe\n', 'declared as flag'],
  ])('refuses what is not %s, and names column and count but no value', async (_, column, lines, fault) => {
    const folder = fileOf('t.csv', `id,${column}\n${lines}`);
    const kind = columns[column as keyof typeof columns];
    const error = await rejection(snapshotOf(folder, 't.csv', { read: 'csv', key: ['id'], columns: { id: 'key', [column]: kind } }), 'SourceInvalid');
    expect(error.message).toContain(`column "${column}"`);
    expect(error.message).toContain(fault);
    expect(shownBy(error)).not.toMatch(/abc|inf|1\.5|yesterday|maybe/);
  });

  test('refuses bad values of Parquet columns of another type, and takes NaN for missing', async () => {
    const folder = scratchFolder();
    const source = { read: 'parquet', key: ['id'], columns: { id: 'key', amount: 'number' } } as const;
    writeFileSync(join(folder, 'text.parquet'), readFileSync(await parquetOf(`SELECT 1 AS id, unnest(['1.5', 'abc']) AS amount`)));
    expect((await rejection(snapshotOf(folder, 'text.parquet', source), 'SourceInvalid')).message).not.toContain('abc');
    writeFileSync(join(folder, 'nan.parquet'), readFileSync(await parquetOf(`SELECT 1 AS id, 'nan'::DOUBLE AS amount`)));
    expect((await snapshotOf(folder, 'nan.parquet', source)).rows).toEqual([{ id: '1', amount: null }]);
  });

  test('takes a NaN in a time of seconds for missing, and refuses one beyond the calendar', async () => {
    const source = { read: 'csv', key: ['id'], columns: { id: 'key', at: { kind: 'time', unit: 's' } } } as const;
    expect((await snapshotOf(fileOf('t.csv', 'id,at\n1,NaN\n2,0\n'), 't.csv', source)).rows).toEqual([
      { id: '1', at: null },
      { id: '2', at: '1970-01-01 00:00:00' },
    ]);
    await rejection(snapshotOf(fileOf('t.csv', 'id,at\n1,1e300\n'), 't.csv', source), 'SourceInvalid');
    const folder = scratchFolder();
    writeFileSync(join(folder, 't.parquet'), readFileSync(await parquetOf(`SELECT 1 AS id, 'nan'::DOUBLE AS at`)));
    expect((await snapshotOf(folder, 't.parquet', { ...source, read: 'parquet' })).rows).toEqual([{ id: '1', at: null }]);
  });

  test('keeps line breaks in quoted fields', async () => {
    const text = `id,note\n1,"two\nlines"\n2,"three\r\n\nlines"\n`;
    const { rows } = await snapshotOf(fileOf('t.csv', text), 't.csv', { read: 'csv', key: ['id'], columns: { id: 'key', note: 'text' } });
    expect(rows).toEqual([
      { id: '1', note: 'two\nlines' },
      { id: '2', note: 'three\r\n\nlines' },
    ]);
  });

  test('refuses text that is not UTF-8', async () => {
    const folder = fileOf('t.csv', Buffer.from([...Buffer.from('id,note\n1,Am'), 0xe9, ...Buffer.from('lie\n')]));
    await rejection(snapshotOf(folder, 't.csv', { read: 'csv', key: ['id'], columns: { id: 'key', note: 'text' } }), 'SourceInvalid');
  });

  test('refuses a source without a declared column, and says what was probably meant', async () => {
    const folder = fileOf('t.csv', 'id,amonut\n1,2\n');
    const error = await rejection(
      snapshotOf(folder, 't.csv', { read: 'csv', key: ['id'], columns: { id: 'key', amount: 'number' } }),
      'SourceInvalid',
    );
    expect(error.message).toContain('has no column "amount"; it has id, amonut (did you mean "amonut"?)');
  });

  test.each([
    ['csv', 'id,amount\n1,2,MARKER,4\n"MARKER\n'],
    ['json', '[{"id": "MARKER", "amount": ]'],
    ['json-lines', '{"id": "MARKER"}\n<MARKER>\n'],
    ['parquet', 'MARKER is not parquet at all'],
  ] as const)('refuses a malformed %s file and shows nothing of it', async (read, content) => {
    const error = await rejection(
      snapshotOf(fileOf('t', content), 't', { read, key: ['id'], columns: { id: 'key', amount: 'number' } }),
      'SourceInvalid',
    );
    expect(shownBy(error)).not.toContain('MARKER');
  });
});

describe('a folder connection', () => {
  const source = { read: 'csv', key: ['id'], columns: { id: 'key' } } as const;

  test.each(['../secret.csv', 'in/../../secret.csv', './a.csv'])('refuses the path %s', async (path) => {
    const folder = fileOf('a.csv', 'id\n1\n');
    await rejection(observeSource(folderSource(folder, path, source), contextOf()), 'SourceRefused');
  });

  test('refuses a link that leaves it, and takes one that does not', async () => {
    const outside = fileOf('secret.csv', 'id\n1\n');
    const folder = fileOf('a.csv', 'id\n1\n');
    symlinkSync(join(outside, 'secret.csv'), join(folder, 'out.csv'));
    symlinkSync(join(folder, 'a.csv'), join(folder, 'in.csv'));
    mkdirSync(join(folder, 'sub'));
    symlinkSync(outside, join(folder, 'sub', 'dir'));
    await rejection(observeSource(folderSource(folder, 'out.csv', source), contextOf()), 'SourceRefused');
    await rejection(observeSource(folderSource(folder, 'sub/dir/secret.csv', source), contextOf()), 'SourceRefused');
    expect((await observeSource(folderSource(folder, 'in.csv', source), contextOf())).sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('says which file is not there, and which one was probably meant', async () => {
    const folder = fileOf('ratings.csv', 'id\n1\n');
    const error = await rejection(observeSource(folderSource(folder, 'rating.csv', source), contextOf()), 'SourceMissing');
    expect(error.message).toContain('did you mean "ratings.csv"?');
  });

  test('is observed by content: a copy with another time is the same, a changed byte is not', async () => {
    const folder = fileOf('a.csv', 'id\n1\n');
    const look = () => observeSource(folderSource(folder, 'a.csv', source), contextOf());
    const first = await look();
    utimesSync(join(folder, 'a.csv'), 1, 1);
    expect((await look()).sha256).toBe(first.sha256);
    writeFileSync(join(folder, 'a.csv'), 'id\n2\n');
    expect((await look()).sha256).not.toBe(first.sha256);
  });

  test('that changed since it was observed gives no snapshot', async () => {
    const folder = fileOf('a.csv', 'id\n1\n');
    const input = folderSource(folder, 'a.csv', source);
    const observed = await observeSource(input, contextOf());
    writeFileSync(join(folder, 'a.csv'), 'id\n2\n');
    await rejection(
      snapshotSource({ ...input, out: join(scratchFolder(), 'o.parquet'), resume: scratchFolder(), observed }, contextOf()),
      'SourceChanged',
    );
  });

  test('that is not configured is named with those that are', async () => {
    const input = { ...folderSource(scratchFolder(), 'a.csv', source), connections: { file: { kind: 'folder', path: '/' } as const } };
    expect((await rejection(observeSource(input, contextOf()), 'ConnectionUnknown')).message).toContain('did you mean "file"?');
  });
});

const movielens = realData('movielens-latest-small');

(movielens ? describe : describe.skip)('MovieLens', () => {
  test('is read with all its titles and times', async () => {
    const movies = await snapshotOf(movielens!, 'movies.csv', {
      read: 'csv',
      key: ['movieId'],
      columns: { movieId: 'key', title: 'text', genres: 'text' },
    });
    expect(movies.facts.rows).toBe(9742);
    expect(movies.rows[0]).toEqual({ movieId: '1', title: 'Toy Story (1995)', genres: 'Adventure|Animation|Children|Comedy|Fantasy' });
    expect(movies.rows.filter(({ title }) => String(title).includes('"')).length).toBeGreaterThan(0);
    const ratings = await snapshotOf(movielens!, 'ratings.csv', {
      read: 'csv',
      key: ['userId', 'movieId'],
      time: 'ratedAt',
      columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: { kind: 'time', named: 'timestamp', unit: 's' } },
    });
    expect(ratings.facts).toMatchObject({ rows: 100_836, timeFrom: '1996-03-29T18:36:55.000Z', timeTo: '2018-09-24T14:27:30.000Z' });
  });
});
