import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { literal, quoted } from '../../core/sql.ts';
import { withOwnDuckdb } from '../../data/duckdb.ts';
import { profile } from '../../data/profile.ts';
import { dataWindow } from '../../data/rows.ts';
import { splitRows } from '../../data/split.ts';
import { contextOf } from './scratch.ts';

const names = [`a"b`, `it's`, `x"; DROP TABLE kept; --`, 'line\nbreak', '/* */', '$1', '{{}}'] as const;
const time = `at'"; SELECT 1; --`;

/** Statements of ours are not locked down: that names and values stay what they are is all that keeps them apart from SQL. */
test.each([`it's here`, 'say "so"', `x'; DROP TABLE kept; --`, 'two\nlines'])(
  'no name of a column gets out of its quotes, in a folder called %j',
  async (name) => {
    const context = contextOf();
    const folder = join(context.scratch, name);
    await mkdir(folder);
    const rows = join(folder, 'rows.parquet');
    await withOwnDuckdb(context, async (db) => {
      const columns = names.map((each, at) => `'${at}-' || range AS ${quoted(each)}`);
      await db.run(
        `COPY (SELECT ${columns.join(', ')}, TIMESTAMP '2025-01-01' + INTERVAL 1 DAY * range AS ${quoted(time)} FROM range(10)) TO ${literal(rows)} (FORMAT parquet)`,
      );
    });
    const { columns } = await profile(rows, context);
    expect(columns.map((each) => each.name)).toEqual([...names, time]);
    expect(await dataWindow(rows, time, context)).toMatchObject({ from: expect.stringMatching(/^2025-01-01/) });
    const [fold] = await splitRows({ rows, folder, key: names, time, split: { by: 'time', validation: '2d', test: '2d' } as never }, context);
    expect(fold!.parts).toMatchObject({ train: 6, validation: 2, test: 2 });
  },
);
