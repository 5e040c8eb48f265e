import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { nearest } from '../core/nearest.ts';
import { literal, quoted } from '../core/sql.ts';
import type { Duckdb } from './duckdb.ts';
import { parquet } from './parquet.ts';

/** Table functions that read nothing. */
const tableFunctions = new Set(['range', 'generate_series', 'unnest', 'json_each', 'repeat']);

/** Functions whose answer is not decided by the rows. */
const unstableFunctions = new Set(
  (
    'random setseed uuid uuidv4 uuidv7 gen_random_uuid now today get_current_timestamp get_current_time transaction_timestamp current_date ' +
    'current_time current_timestamp current_localtime current_localtimestamp localtime localtimestamp nextval currval txid_current stats sleep_ms ' +
    'write_log getvariable getenv current_setting current_user session_user user current_query current_connection_id current_database ' +
    'current_schema current_schemas pg_backend_pid version'
  ).split(' '),
);

/** These are written without parentheses, so the parser takes them for columns. */
const unstableWords = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp']);

/**
 * Makes each snapshot a view under its source's name. A `cut` is an SQL condition that the source's rows must meet.
 */
export async function viewSources(
  db: Duckdb,
  snapshots: Readonly<Record<string, string>>,
  cuts: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const [name, path] of Object.entries(snapshots)) {
    await db.run(`CREATE OR REPLACE VIEW ${quoted(name)} AS SELECT * FROM ${parquet(path)} WHERE ${cuts[name] ?? 'true'}`);
  }
}

/**
 * Accepts a user's SQL if it is one `SELECT` over `sources` whose answer is decided by them, and returns it fit to stand in parentheses.
 *
 * The instance is locked down anyway; this check is by DuckDB's own syntax tree, not by searching the text. It stops what the lock-down leaves
 * open (`enable_logging` wedges an instance, an input file could be written) and what would give other rows tomorrow (`now()`, `random()`).
 *
 * @param where What the SQL is, for messages: `rows.sql`.
 * @throws {MlError} `SqlRefused`, `SqlFailed`
 */
export async function checkSelect(db: Duckdb, sql: string, sources: readonly string[], where: string): Promise<string> {
  const refuse = (fault: string, facts: Record<string, unknown> = {}): never => {
    throw new MlError('SqlRefused', `${where}: ${fault}`, { where, ...facts });
  };
  const text = sql.trim().replace(/(\s*;)+$/, '');
  if (text === '') refuse('write exactly one SELECT statement; it is empty');
  const count = await db.statements(text).catch((error: unknown) => {
    throw new MlError('SqlFailed', `${where} is not valid SQL: ${messageOf((error as MlError).cause ?? error)}`, { where }, { cause: error });
  });
  if (count !== 1) refuse(`write exactly one SELECT statement; it has ${count}`, { count });
  const tree = JSON.parse(String((await db.row(`SELECT json_serialize_sql(${literal(text)}) AS tree`))['tree'])) as Tree;
  if (tree['error'] === true) refuse('only a SELECT is allowed, because sources are read and never changed: write it as one SELECT');
  // Text after an inner semicolon (a comment) would close our parentheses.
  if ((await db.statements(`SELECT * FROM (${text}\n)`).catch(() => 0)) !== 1) refuse('end it without a semicolon and a comment after it');

  const names = new Set<string>(sources);
  visit(tree, (node) => {
    if (Array.isArray(node['map'])) for (const entry of node['map'] as Tree[]) names.add(String(entry['key']));
  });
  const known = new Set([...names].map((name) => name.toLowerCase()));
  visit(tree, (node) => {
    const name = String(node['table_name'] ?? node['function_name'] ?? '');
    const lower = name.toLowerCase();
    if (node['type'] === 'SHOW_REF') refuse('DESCRIBE, SHOW and SUMMARIZE give no rows to learn from: write a SELECT');
    if (node['type'] === 'BASE_TABLE') {
      const qualified = node['schema_name'] !== '' || node['catalog_name'] !== '';
      if (qualified || !known.has(lower)) {
        const hint = nearest(name, [...sources]);
        refuse(`there is no source "${name}": the sources are ${sources.join(', ')}${hint === undefined ? '' : ` (did you mean "${hint}"?)`}`, {
          name,
        });
      }
    }
    if (node['type'] === 'TABLE_FUNCTION') {
      const called = String((node['function'] as Tree | undefined)?.['function_name'] ?? '');
      if (!tableFunctions.has(called.toLowerCase())) {
        refuse(`${called}() may not be called: read data by naming a source (${sources.join(', ')}); declare a file as a source of the spec`, {
          called,
        });
      }
    }
    if (node['class'] === 'FUNCTION' && unstableFunctions.has(lower)) {
      refuse(`${lower}() gives another answer each time, so the rows could not be made again: use a column of a source`, { called: lower });
    }
    if (node['class'] === 'COLUMN_REF') {
      const [column, ...rest] = node['column_names'] as string[];
      if (rest.length === 0 && unstableWords.has(String(column).toLowerCase())) {
        refuse(`${column} gives another answer each time, so the rows could not be made again: use a time column of a source`, { called: column });
      }
    }
    if (node['sample'] !== undefined && node['sample'] !== null) {
      refuse('a sample gives other rows each time: take rows by a hash of their key, such as hash(userId) % 10 = 0');
    }
  });
  return text;
}

type Tree = Readonly<Record<string, unknown>>;

function visit(value: unknown, look: (node: Tree) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, look);
  else if (typeof value === 'object' && value !== null) {
    look(value as Tree);
    for (const item of Object.values(value)) visit(item, look);
  }
}
