import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { literal } from '../../core/sql.ts';
import { withDuckdb } from '../../data/duckdb.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { searchFor } from '../support/canaries.ts';

const secret = 'canary-in-a-coal-mine';
let folder: string;
let store: ObjectStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-searched-'));
  store = await openStore(join(folder, 'store'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Rows of a thousand equal tokens: Parquet keeps them once, and compressed. */
async function parquet(): Promise<Uint8Array> {
  const path = join(folder, 'rows.parquet');
  await withDuckdb({ write: [path] }, { signal: new AbortController().signal, scratch: folder }, (db) =>
    db.run(`COPY (SELECT repeat(${literal(secret)}, 50) AS said FROM range(1000)) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`),
  );
  return readFile(path);
}

test.each<readonly [string, () => Uint8Array | Promise<Uint8Array>]>([
  ['text', () => Buffer.from(`token: ${secret}\n`)],
  ['base64 at any offset', () => Buffer.from(Buffer.from(`?${secret}`).toString('base64'))],
  ['a compressed text', () => gzipSync(`token: ${secret}`)],
  ['a compressed text that is not all there', () => gzipSync(`token: ${secret} ${'and more '.repeat(1000)}`).subarray(0, -12)],
  ['rows of Parquet', parquet],
])('a secret in a store is found in %s', async (form, write) => {
  const body = await write();
  const at = key(`${form.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}/object`);
  await store.settle(at, body);
  const places = (await searchFor({ token: secret }).inStore(store)).map(({ place }) => place);
  expect(places).toContainEqual(expect.stringContaining(at));
  await store.remove(at);
  expect(await searchFor({ token: secret }).inStore(store)).toEqual([]);
});
