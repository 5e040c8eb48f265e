import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { withDuckdb } from '../../data/duckdb.ts';
import { MlError } from '../../core/errors.ts';
import { literal } from '../../core/sql.ts';
import { sha256 } from '../../stores/digest.ts';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';

/** A folder in the MovieLens layout, and what the demo must know of it to choose windows and protocols. */
export interface DemoData {
  readonly folder: string;
  readonly simulated: boolean;
  readonly ratings: number;
  readonly users: number;
  /** Milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Ratings in each calendar month that has any, such as `2025-10`. */
  readonly perMonth: ReadonlyMap<string, number>;
}

/** Each folder of data has a home of its own: its store, its Temporal database, its versions. */
export function homeFor(home: string, data: string | undefined): string {
  return data === undefined ? home : join(home, `data-${basename(resolve(data)).toLowerCase()}-${sha256(resolve(data)).slice(0, 8)}`);
}

/**
 * The given folder, or a simulated streaming service, made once and kept in `home`.
 *
 * @throws {MlError} `SourceUnreachable` if the folder has no `ratings.csv` and `movies.csv`.
 */
export async function prepareData(given: string | undefined, home: string, say: (line: string) => void): Promise<DemoData> {
  const folder = given === undefined ? join(home, 'data') : resolve(given);
  if (given === undefined) await simulate(folder, say);
  for (const name of ['ratings.csv', 'movies.csv']) {
    if (existsSync(join(folder, name))) continue;
    throw new MlError(
      'SourceUnreachable',
      `${folder} has no ${name}: --data wants a folder in the MovieLens layout (ratings.csv, movies.csv, tags.csv)`,
      { folder, name },
    );
  }
  return { folder, simulated: given === undefined, ...(await look(join(folder, 'ratings.csv'), home)) };
}

async function simulate(folder: string, say: (line: string) => void): Promise<void> {
  if (existsSync(join(folder, 'ratings.csv'))) return;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const { ratings, films, users } = await simulateStreamingService(unfinished);
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
  say(`simulated a streaming service: ${users.toLocaleString('en')} viewers, ${films} films, ${ratings.toLocaleString('en')} ratings`);
}

async function look(path: string, home: string): Promise<Omit<DemoData, 'folder' | 'simulated'>> {
  const scratch = join(home, 'work', 'scratch');
  return withDuckdb({ read: [path] }, { signal: new AbortController().signal, scratch }, async (db) => {
    const from = `read_csv(${literal(path)}, header = true, columns = {'userId': 'VARCHAR', 'movieId': 'VARCHAR', 'rating': 'DOUBLE', 'timestamp': 'BIGINT'})`;
    const row = await db.row(
      `SELECT count(*)::DOUBLE AS n, count(DISTINCT "userId")::DOUBLE AS u, min(timestamp)::DOUBLE AS a, max(timestamp)::DOUBLE AS z FROM ${from}`,
    );
    const months = await db.rows(
      `SELECT strftime(to_timestamp(timestamp), '%Y-%m') AS month, count(*)::DOUBLE AS n FROM ${from} GROUP BY 1 ORDER BY 1`,
    );
    return {
      ratings: Number(row['n']),
      users: Number(row['u']),
      firstMs: Number(row['a']) * 1000,
      lastMs: Number(row['z']) * 1000,
      perMonth: new Map(months.map(({ month, n }) => [String(month), Number(n)])),
    };
  });
}
