import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { DuckDBVector } from '@duckdb/node-api';
import { quoted } from '../core/sql.ts';
import type { RecommendationTarget } from '../core/tasks/recommendation.ts';
import { withDuckdb, type DataContext, type Duckdb } from './duckdb.ts';
import { naturalOrder, parquet } from './parquet.ts';

/** What one user did: item id, value, milliseconds since 1970; newest last. */
export interface UserHistory {
  readonly user: string;
  readonly items: readonly (readonly [item: string, value: number, timeMs: number])[];
}

/**
 * Writes each user's history as a line of JSON, gzip, users by id: what a server answers requests by user from. Equal rows give equal bytes.
 */
export async function writeHistory(
  input: { readonly rows: string; readonly target: RecommendationTarget; readonly time?: string; readonly out: string },
  context: DataContext,
): Promise<{ readonly users: number }> {
  return withDuckdb({ read: [input.rows] }, context, async (db) => {
    let users = 0;
    async function* lines() {
      for await (const history of histories(db, input)) {
        users++;
        yield `${JSON.stringify(history)}\n`;
      }
    }
    await pipeline(Readable.from(lines()), createGzip({ level: 6 }), anySystem(), createWriteStream(input.out), { signal: context.signal });
    return { users };
  });
}

async function* histories(
  db: Duckdb,
  { rows, target, time }: { readonly rows: string; readonly target: RecommendationTarget; readonly time?: string },
): AsyncGenerator<UserHistory> {
  const value = target.value === undefined ? '1::DOUBLE' : `CAST(${quoted(target.value)} AS DOUBLE)`;
  const at = time === undefined ? '0::DOUBLE' : `epoch_ms(${quoted(time)})::DOUBLE`;
  const sql =
    `SELECT * FROM (SELECT CAST(${quoted(target.user)} AS VARCHAR) AS "user", CAST(${quoted(target.item)} AS VARCHAR) AS item, ${value} AS value, ${at} AS ms ` +
    `FROM ${parquet(rows)}) ORDER BY ${naturalOrder('user')}, ms, ${naturalOrder('item')}, value`;
  let current: { user: string; items: [string, number, number][] } | undefined;
  for await (const chunk of db.chunks(sql)) {
    const [users, items, values, times] = [0, 1, 2, 3].map((column) => chunk.getColumnVector(column)) as [
      DuckDBVector,
      DuckDBVector,
      DuckDBVector,
      DuckDBVector,
    ];
    for (let i = 0; i < chunk.rowCount; i++) {
      const user = String(users.getItem(i));
      if (!current || current.user !== user) {
        if (current) yield current;
        current = { user, items: [] };
      }
      current.items.push([String(items.getItem(i)), Number(values.getItem(i)), Number(times.getItem(i))]);
    }
  }
  if (current) yield current;
}

/** The gzip header names the operating system in byte 9; 255 is "unknown". The time in it is zero already. */
function anySystem(): Transform {
  let offset = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (offset <= 9 && offset + chunk.length > 9) chunk[9 - offset] = 255;
      offset += chunk.length;
      done(null, chunk);
    },
  });
}
