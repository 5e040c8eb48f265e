import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Item } from '../core/manifest.ts';
import { quoted } from '../core/sql.ts';
import type { Part } from '../core/table.ts';
import type { Interactions, RecommendationTarget } from '../core/tasks/recommendation.ts';
import { withDuckdb, type DataContext, type Duckdb } from './duckdb.ts';
import { naturalOrder, parquet, quotedList } from './parquet.ts';

export interface EncodeInput {
  readonly rows: string;
  readonly key: readonly string[];
  readonly time?: string;
  readonly target: RecommendationTarget;
  /** A fold's file; without one every row is fitted (a refit). */
  readonly split?: string;
  /** What the model is fitted on. Default: `train`. */
  readonly fitted?: readonly Part[];
  /** What it is examined on, encoded against the fitted rows. */
  readonly heldOut?: Part;
  /** The snapshot of `target.describe.source`, and that source's key column. */
  readonly items?: { readonly snapshot: string; readonly key: string };
}

export interface EncodedInteractions {
  readonly known: Interactions;
  /** Its users are those of `known` at the same positions, then the new ones. Present when `heldOut` was asked for. */
  readonly heldOut?: Interactions;
}

/**
 * Reads rows as the typed arrays that recommenders are fitted on. Everything about `known` is decided by the fitted rows alone: users by id (whole
 * numbers by value), items by number of interactions, ties by id; interactions by time, then user, then item id.
 */
export async function encodeInteractions(input: EncodeInput, context: DataContext): Promise<EncodedInteractions> {
  const { rows, split, target, items } = input;
  const read = [rows, ...(split === undefined ? [] : [split]), ...(items ? [items.snapshot] : [])];
  return withDuckdb({ read }, context, async (db) => {
    const parts = (input.fitted ?? ['train']).map((part) => `'${part}'`).join(', ');
    const time = input.time === undefined ? '0::DOUBLE' : `epoch_ms(r.${quoted(input.time)})::DOUBLE`;
    const value = target.value === undefined ? '1::DOUBLE' : `CAST(r.${quoted(target.value)} AS DOUBLE)`;
    const joined = split === undefined ? '' : ` JOIN ${parquet(split)} s USING (${quotedList(input.key)})`;
    await db.run(
      `CREATE TEMP TABLE interactions AS SELECT CAST(r.${quoted(target.user)} AS VARCHAR) AS "user", CAST(r.${quoted(target.item)} AS VARCHAR) AS item, ` +
        `${value} AS value, ${time} AS ms, ${split === undefined ? `true` : `s.part IN (${parts})`} AS fitted, ${split === undefined ? 'NULL' : 's.part'} AS part ` +
        `FROM ${parquet(rows)} r${joined}`,
    );
    await db.run(
      `CREATE TEMP TABLE item_positions AS SELECT item, row_number() OVER (ORDER BY count(*) DESC, ${naturalOrder('item')}) - 1 AS position ` +
        `FROM interactions WHERE fitted GROUP BY item`,
    );
    const isHeldOut = input.heldOut === undefined ? 'false' : `part = '${input.heldOut}'`;
    await db.run(
      `CREATE TEMP TABLE user_positions AS SELECT "user", row_number() OVER (ORDER BY known DESC, ${naturalOrder('user')}) - 1 AS position, known ` +
        `FROM (SELECT "user", bool_or(fitted) AS known FROM interactions WHERE fitted OR (${isHeldOut}) GROUP BY "user")`,
    );
    const catalogue = await readCatalogue(db, input);
    const users = await strings(db, `SELECT "user" FROM user_positions ORDER BY position`);
    const { known } = await db.row('SELECT count(*)::INTEGER AS known FROM user_positions WHERE known');
    const { newest } = await db.row('SELECT max(ms) AS newest FROM interactions WHERE fitted');
    const shared = { catalogue, relevantFrom: target.relevantFrom, asOfMs: Number(newest ?? 0) };
    const fitted: Interactions = { ...(await readInteractions(db, 'fitted')), ...shared, userIds: users.slice(0, Number(known)) };
    if (input.heldOut === undefined) return { known: fitted };
    return { known: fitted, heldOut: { ...(await readInteractions(db, isHeldOut)), ...shared, userIds: users } };
  });
}

async function readInteractions(db: Duckdb, condition: string) {
  const { count } = await db.row(`SELECT count(*)::INTEGER AS count FROM interactions WHERE ${condition}`);
  const rows = Number(count);
  const users = new Int32Array(rows);
  const items = new Int32Array(rows);
  const values = new Float32Array(rows);
  const timesMs = new Float64Array(rows);
  let at = 0;
  const sql =
    `SELECT u.position::INTEGER, coalesce(p.position, -1)::INTEGER, coalesce(i.value, 'nan'::DOUBLE), i.ms FROM interactions i ` +
    `JOIN user_positions u USING ("user") LEFT JOIN item_positions p ON p.item = i.item WHERE ${condition.replace(/^(fitted|part)/, 'i.$1')} ` +
    `ORDER BY i.ms, u.position, TRY_CAST(i.item AS HUGEINT) NULLS LAST, i.item, i.value`;
  for await (const chunk of db.chunks(sql)) {
    fill(chunk, 0, users, at);
    fill(chunk, 1, items, at);
    fill(chunk, 2, values, at);
    fill(chunk, 3, timesMs, at);
    at += chunk.rowCount;
  }
  return { users, items, values, timesMs };
}

/** Copies a column without NULLs into `into`. */
function fill(chunk: DuckDBDataChunk, column: number, into: Int32Array | Float32Array | Float64Array, at: number): void {
  const vector = chunk.getColumnVector(column);
  for (let i = 0; i < chunk.rowCount; i++) into[at + i] = vector.getItem(i) as number;
}

/** MovieLens writes `(no genres listed)`: what stands in parentheses as a whole is not a category. */
const noCategory = /^\(.*\)$/;

async function readCatalogue(db: Duckdb, { target, items }: EncodeInput): Promise<readonly Item[]> {
  const { describe } = target;
  if (!describe || !items) {
    return (await strings(db, 'SELECT item FROM item_positions ORDER BY position')).map((id) => ({ id, title: id, categories: [] }));
  }
  // A key that is not unique would give an item two positions.
  const described =
    `SELECT CAST(${quoted(items.key)} AS VARCHAR) AS item, min(${quoted(describe.title)}) AS title, min(${quoted(describe.categories)}) AS categories ` +
    `FROM ${parquet(items.snapshot)} GROUP BY 1`;
  const catalogue: Item[] = [];
  for await (const chunk of db.chunks(
    `SELECT p.item, coalesce(d.title, p.item), coalesce(d.categories, '') FROM item_positions p LEFT JOIN (${described}) d USING (item) ORDER BY p.position`,
  )) {
    for (const [id, title, categories] of chunk.getRows()) {
      const names = String(categories)
        .split('|')
        .map((name) => name.trim());
      catalogue.push({ id: String(id), title: String(title), categories: names.filter((name) => name !== '' && !noCategory.test(name)) });
    }
  }
  return catalogue;
}

async function strings(db: Duckdb, sql: string): Promise<readonly string[]> {
  const values: string[] = [];
  for await (const chunk of db.chunks(sql)) for (const value of chunk.getColumnValues(0)) values.push(String(value));
  return values;
}
