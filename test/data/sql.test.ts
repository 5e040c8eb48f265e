import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { withDuckdb, type DataContext } from '../../data/duckdb.ts';
import { checkSelect, viewSources } from '../../data/select.ts';
import { buildRows } from '../../data/rows.ts';
import { contextOf, parquetOf, rejection, scratchFolder, shownBy } from './scratch.ts';

const snapshot = () => parquetOf(`SELECT CAST(i AS VARCHAR) AS id, i::DOUBLE AS value FROM range(1000) r(i)`);
const spec = (sql: string) =>
  ({
    sources: { things: { from: 'f:/things.csv', read: 'csv', key: ['id'], columns: { id: 'key', value: 'number' } } },
    rows: { sql, key: ['id'] },
  }) as const;

async function rowsOf(sql: string, context: DataContext = contextOf()) {
  return buildRows({ spec: spec(sql), snapshots: { things: await snapshot() }, out: join(scratchFolder(), 'rows.parquet') }, context);
}

describe('user SQL', () => {
  test.each([
    ['a write', 'DELETE FROM things', 'only a SELECT'],
    ['a change of a table', 'INSERT INTO things VALUES (1, 2)', 'only a SELECT'],
    ['two statements', 'SELECT 1; SELECT 2', 'exactly one SELECT'],
    ['nothing', '  ', 'exactly one SELECT'],
    ['reading a file', `SELECT * FROM read_csv('/etc/passwd')`, 'read_csv() may not be called'],
    ['reading a file as text', `SELECT * FROM read_text('/etc/passwd')`, 'read_text() may not be called'],
    ['reading a file by its name', `SELECT * FROM '/etc/passwd'`, 'no source "/etc/passwd"'],
    ['listing files', `SELECT * FROM glob('/*')`, 'glob() may not be called'],
    ['hidden reading', `SELECT * FROM things WHERE id IN (SELECT content FROM read_text('/etc/hostname'))`, 'read_text() may not be called'],
    ['SQL in a text', `SELECT * FROM query('SELECT 1')`, 'query() may not be called'],
    ['logging', `SELECT * FROM enable_logging(storage = 'file', storage_path = '/tmp/log')`, 'enable_logging() may not be called'],
    ['calling', `CALL enable_logging(storage = 'file')`, 'only a SELECT'],
    ['a pragma', 'PRAGMA database_list', 'only a SELECT'],
    ['a setting', 'SET threads = 64', 'only a SELECT'],
    ['copying', `COPY things TO '/tmp/things.csv'`, 'only a SELECT'],
    ['attaching', `ATTACH '/tmp/other.db'`, 'only a SELECT'],
    ['installing', 'INSTALL httpfs', 'only a SELECT'],
    ['the catalogue', 'SELECT * FROM information_schema.tables', 'no source'],
    ['describing', 'SUMMARIZE things', 'write a SELECT'],
    ['the clock', 'SELECT id, now() AS value FROM things', 'another answer each time'],
    ['the date', 'SELECT id, current_date AS day FROM things', 'another answer each time'],
    ['chance', 'SELECT id, random() AS value FROM things', 'another answer each time'],
    ['a sample', 'SELECT * FROM things USING SAMPLE 10', 'a sample gives other rows each time'],
    ['closing our parentheses', 'SELECT 1; -- )', 'without a semicolon'],
    ['a misspelt source', 'SELECT * FROM thing', 'did you mean "things"?'],
  ])('refuses %s', async (_, sql, fault) => {
    expect((await rejection(rowsOf(sql), 'SqlRefused')).message).toContain(fault);
  });

  test('accepts joins, windows, common table expressions and a semicolon at the end', async () => {
    const sql = `WITH big AS (SELECT * FROM things WHERE value > 10)
      SELECT id, value, row_number() OVER (ORDER BY value, id) AS place FROM things SEMI JOIN big USING (id) QUALIFY place <= 5 ; `;
    expect((await rowsOf(sql)).rows).toBe(5);
  });

  test('names the fault of invalid SQL', async () => {
    expect((await rejection(rowsOf('SELEC id FROM things'), 'SqlFailed')).message).toContain('syntax error');
    expect((await rejection(rowsOf('SELECT ident FROM things'), 'SqlFailed')).message).toContain('ident');
  });

  test.each([
    ['a conversion', `CAST('MARKER' || id AS INTEGER)`, 'Conversion Error: a value was refused to INT32'],
    ['a conversion that spans lines', `CAST(E'MARKER\\n\\nLINE 1: MARKER' || id AS DATE)`, 'Conversion Error'],
    ['an error of the statement itself', `error('MARKER' || id)`, 'Invalid Input Error'],
    ['a wrong pattern', `regexp_matches(id, 'MARKER(' || id)`, 'Invalid Input Error'],
    ['JSON', `json_extract('MARKER' || id, '$.a')`, 'Invalid Input Error'],
    ['an overflow', `CAST(2000000000 + value AS INTEGER) * CAST(2000000000 + value AS INTEGER)`, 'Overflow in multiplication of INT32'],
  ])('that fails on a row by %s shows nothing of the row', async (_, expression, kind) => {
    const error = await rejection(rowsOf(`SELECT id, ${expression} AS made FROM things`), 'SqlFailed');
    expect(error.message).toContain(kind);
    expect(error.message + shownBy(error.cause)).not.toMatch(/MARKER|20000000/);
  });

  test('that never ends is stopped by the time limit', async () => {
    const endless = 'SELECT a.id, sum(b.value * c.value * d.value) AS value FROM things a, things b, things c, things d GROUP BY a.id';
    const error = await rejection(rowsOf(endless, contextOf({ limits: { seconds: 0.5 } })), 'SqlTimeout');
    expect(error.message).toContain('longer than 0.5 s');
  });

  test('is interrupted within a second of a cancellation', async () => {
    const controller = new AbortController();
    const endless = 'SELECT a.id, sum(b.value * c.value * d.value) AS value FROM things a, things b, things c, things d GROUP BY a.id';
    const running = rejection(rowsOf(endless, contextOf({ signal: controller.signal })), 'Cancelled');
    let cancelledAt = 0;
    setTimeout(() => {
      cancelledAt = performance.now();
      controller.abort();
    }, 300);
    await running;
    expect(performance.now() - cancelledAt).toBeLessThan(1000);
  });
});

describe('an instance', () => {
  test('says while a long statement runs that it lives', async () => {
    let beats = 0;
    const context = contextOf({ limits: { seconds: 1.5 }, heartbeat: () => void beats++ });
    const endless = withDuckdb({}, context, (db) => db.rows('SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)'));
    await rejection(endless, 'SqlTimeout');
    expect(beats).toBeGreaterThan(0);
  });

  test('reaches no file but those it was given, even for our own statements', async () => {
    const secret = join(scratchFolder(), 'secret.csv');
    writeFileSync(secret, 'a\n1\n');
    await withDuckdb({}, contextOf(), async (db) => {
      expect((await rejection(db.rows(`SELECT * FROM read_csv('${secret}')`), 'SqlFailed')).message).toContain('disabled by configuration');
      expect((await rejection(db.run(`COPY (SELECT 1) TO '${secret}'`), 'SqlFailed')).message).toContain('disabled by configuration');
      expect((await rejection(db.run('SET enable_external_access = true'), 'SqlFailed')).message).toContain('Cannot');
      expect((await rejection(db.run('LOAD httpfs'), 'SqlFailed')).message).toMatch(/disabled|not found|LOAD/i);
    });
  });

  test('is limited in memory', async () => {
    const context = contextOf({ limits: { memoryMb: 50, temporaryMb: 1 } });
    const heavy = withDuckdb({}, context, (db) =>
      db.rows('SELECT len(list(m ORDER BY m)) FROM (SELECT md5(i::VARCHAR) AS m FROM range(5000000) r(i))'),
    );
    expect((await rejection(heavy, 'SqlFailed')).message).toContain('Out of Memory');
  });

  test('checks SQL against the sources it was told of', async () => {
    const things = await snapshot();
    await withDuckdb({ read: [things] }, contextOf(), async (db) => {
      await viewSources(db, { things });
      expect(await checkSelect(db, 'FROM things', ['things'], 'test')).toBe('FROM things');
    });
  });
});
