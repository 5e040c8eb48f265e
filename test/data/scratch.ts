import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { ErrorCode } from '../../core/errors.ts';
import { MlError } from '../../core/errors.ts';
import type { DataContext } from '../../data/duckdb.ts';
import { withDuckdb } from '../../data/duckdb.ts';

const folders: string[] = [];

/** A new folder, removed when the test file ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-data-'));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const contextOf = (changes: Partial<DataContext> = {}): DataContext => ({
  signal: new AbortController().signal,
  scratch: scratchFolder(),
  ...changes,
});

/** Writes a relation as Parquet and returns its path. */
export async function parquetOf(select: string, read: readonly string[] = []): Promise<string> {
  const path = join(scratchFolder(), 'made.parquet');
  await withDuckdb({ read, write: [path] }, contextOf(), (db) => db.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`));
  return path;
}

/** The rows of an SQL query over the files in it. */
export const query = (sql: string, ...files: readonly string[]) => withDuckdb({ read: files }, contextOf(), (db) => db.rows(sql));

/** The error that a promise rejects with; fails when it does not, or with another code. */
export async function rejection(promise: Promise<unknown>, code: ErrorCode): Promise<MlError> {
  const error = await promise.then(
    (value) => new Error(`it did not fail but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof MlError && error.code === code) return error;
  throw error;
}

/** All that an error and its causes show: what Temporal would keep of it. */
export const shownBy = (error: unknown): string =>
  error instanceof Error ? JSON.stringify([error.message, error.stack, (error as Partial<MlError>).facts]) + shownBy(error.cause) : String(error);
