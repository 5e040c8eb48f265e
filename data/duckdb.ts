import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DuckDBDataChunk, DuckDBInstance, version, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import type { Json } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { literal } from '../core/sql.ts';
import type { Progress } from '../core/step-context.ts';

/** What every function of `data/` may know of the outside; a `StepContext` is one. */
export interface DataContext {
  readonly signal: AbortSignal;
  /** A folder of this attempt's own: DuckDB spills into it. */
  readonly scratch: string;
  readonly heartbeat?: (progress?: Progress) => void;
  readonly limits?: Partial<DuckdbLimits>;
}

export interface DuckdbLimits {
  readonly threads: number;
  readonly memoryMb: number;
  /** What DuckDB may write to the scratch folder. */
  readonly temporaryMb: number;
  /** For one statement. */
  readonly seconds: number;
}

export const defaultLimits: DuckdbLimits = { threads: 2, memoryMb: 2048, temporaryMb: 20_480, seconds: 1800 };

/** The engine's own version: another one may cast, order or write the same rows otherwise. */
export const duckdbVersion: string = version();

/** The only files that an instance can touch. DuckDB does not tell reading from writing, so user SQL is also checked (`checkSelect`). */
export interface Access {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
}

export type Row = Readonly<Record<string, Json>>;

export type AppendedColumn = Float32Array | Float64Array | readonly (string | null)[];

export interface Duckdb {
  run(sql: string, values?: readonly DuckDBValue[]): Promise<void>;
  /** All rows as JSON values: 64-bit integers and times are strings. For small answers. */
  rows(sql: string, values?: readonly DuckDBValue[]): Promise<readonly Row[]>;
  /** The first row. */
  row(sql: string, values?: readonly DuckDBValue[]): Promise<Row>;
  /** Rows as they come, 2,048 at a time: for large answers. */
  chunks(sql: string): AsyncGenerator<DuckDBDataChunk>;
  /** Adds rows to a table of numbers and texts, a column for each of its columns. */
  append(table: string, columns: readonly AppendedColumn[]): Promise<void>;
  /** How many statements DuckDB's own parser finds. @throws {MlError} `SqlFailed` */
  statements(sql: string): Promise<number>;
}

/** How often an interrupt is repeated: one that comes just before a statement starts is lost. */
const interruptEveryMs = 50;
/** How often a long statement says that it lives. It cannot hang unnoticed: `limits.seconds` ends it. */
const heartbeatEveryMs = 1000;

/**
 * Opens an in-memory DuckDB that reaches nothing but the files of `access`, and closes it after `use`. No network, no extension, no setting can
 * be changed from inside; memory, spill and time are limited. Aborting `context.signal` interrupts the statement that runs.
 *
 * @throws {MlError} `SqlFailed`, `SqlTimeout`, `Cancelled`
 */
export async function withDuckdb<T>(access: Access, context: DataContext, use: (db: Duckdb) => Promise<T>): Promise<T> {
  const limits = limitsOf(context);
  const instance = await open(limits, await spillFolder(context));
  try {
    return await connected(instance, async (connection) => {
      const paths = [...(access.read ?? []), ...(access.write ?? [])].map((path) => literal(resolve(path)));
      await connection.run(`SET allowed_paths = [${paths.join(', ')}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      return use(guarded(connection, context, limits));
    });
  } finally {
    instance.closeSync();
  }
}

/** Instances without a user, by their limits. To make one takes longer than to read a few hundred rows. */
const idle = new Map<string, DuckDBInstance[]>();
const mostIdle = 4;

/**
 * As `withDuckdb`, for statements that are all ours: no word of a spec in them but names and values, quoted. The instance reaches what this process does, and
 * the next user may get it again; what a user makes has to be TEMP, which goes with the connection.
 */
export async function withOwnDuckdb<T>(context: DataContext, use: (db: Duckdb) => Promise<T>): Promise<T> {
  const limits = limitsOf(context);
  const kind = JSON.stringify(limits);
  const temporary = await spillFolder(context);
  const found = idle.get(kind)?.pop();
  const instance = found ?? (await open(limits, temporary));
  try {
    const result = await connected(instance, async (connection) => {
      if (found !== undefined) await connection.run(`SET temp_directory = ${literal(temporary)}`);
      return use(guarded(connection, context, limits));
    });
    const others = idle.get(kind) ?? [];
    // One that has spilled keeps its folder, which goes with this user.
    if (others.length < mostIdle && (await readdir(temporary)).length === 0) idle.set(kind, [...others, instance]);
    else instance.closeSync();
    return result;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

const limitsOf = ({ limits }: DataContext): DuckdbLimits => ({ ...defaultLimits, ...limits });

async function spillFolder({ scratch }: DataContext): Promise<string> {
  const temporary = join(scratch, 'duckdb');
  await mkdir(temporary, { recursive: true });
  return temporary;
}

const open = (limits: DuckdbLimits, temporary: string): Promise<DuckDBInstance> =>
  DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: `${limits.memoryMb}MB`,
    temp_directory: temporary,
    max_temp_directory_size: `${limits.temporaryMb}MB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Files of the store never change, but what is kept of them would be memory that nobody counts.
    enable_external_file_cache: 'false',
  });

async function connected<T>(instance: DuckDBInstance, use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    return await use(connection);
  } finally {
    connection.closeSync();
  }
}

function guarded(connection: DuckDBConnection, { signal, heartbeat }: DataContext, limits: DuckdbLimits): Duckdb {
  /** Runs one call of DuckDB's under the time limit and the signal. */
  async function under<T>(sql: string, call: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw cancelled(signal);
    let late = false;
    let interrupting: NodeJS.Timeout | undefined;
    const interrupt = () => {
      connection.interrupt();
      interrupting ??= setInterval(() => connection.interrupt(), interruptEveryMs);
    };
    const timer = setTimeout(() => {
      late = true;
      interrupt();
    }, limits.seconds * 1000);
    const beating = heartbeat && setInterval(() => heartbeat({ step: 'duckdb', ...percentOf(connection) }), heartbeatEveryMs);
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      return await call();
    } catch (error) {
      if (signal.aborted) throw cancelled(signal, error);
      if (late) throw timedOut(sql, limits, error);
      throw failed(sql, error);
    } finally {
      clearTimeout(timer);
      clearInterval(interrupting);
      clearInterval(beating);
      signal.removeEventListener('abort', interrupt);
    }
  }

  const rows = (sql: string, values?: readonly DuckDBValue[]) =>
    under(sql, async () => (await connection.runAndReadAll(sql, values && [...values])).getRowObjectsJson() as Row[]);

  return {
    run: (sql, values) => under(sql, async () => void (await connection.run(sql, values && [...values]))),
    rows,
    async row(sql, values) {
      const [first] = await rows(sql, values);
      if (!first) throw new MlError('Bug', `a statement that always gives a row gave none: ${excerpt(sql)}`);
      return first;
    },
    async *chunks(sql) {
      const result = await under(sql, () => connection.stream(sql));
      for (;;) {
        const chunk = await under(sql, () => result.fetchChunk());
        if (!chunk || chunk.rowCount === 0) return;
        yield chunk;
      }
    },
    append: (table, columns) => under(`append to ${table}`, () => appendColumns(connection, table, columns, signal)),
    statements: (sql) =>
      under(sql, async () => {
        try {
          return (await connection.extractStatements(sql)).count;
        } catch (cause) {
          // The parser has seen no row.
          throw new MlError('SqlFailed', firstParagraph(cause), { sql: excerpt(sql) }, { cause });
        }
      }),
  };
}

/** What DuckDB takes in one go. */
const chunkRows = 2048;

async function appendColumns(connection: DuckDBConnection, table: string, columns: readonly AppendedColumn[], signal: AbortSignal): Promise<void> {
  const appender = await connection.createAppender(table);
  const types = columns.map((_, at) => appender.columnType(at));
  const rows = columns[0]?.length ?? 0;
  for (let from = 0; from < rows; from += chunkRows) {
    const chunk = DuckDBDataChunk.create(types, Math.min(chunkRows, rows - from));
    columns.forEach((values, at) => chunk.setColumnValues(at, Array.from<number | string | null>(values.slice(from, from + chunkRows))));
    appender.appendDataChunk(chunk);
    if ((from / chunkRows) % 64 > 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw cancelled(signal);
  }
  appender.flushSync();
  appender.closeSync();
}

/** How far the running statement is, where DuckDB can tell. */
function percentOf(connection: DuckDBConnection): { readonly done?: number; readonly total?: number } {
  const { percentage } = connection.progress;
  return percentage < 0 ? {} : { done: Math.round(percentage), total: 100 };
}

const excerpt = (sql: string): string => (sql.length > 200 ? `${sql.slice(0, 200)}…` : sql);

/** What DuckDB finds out from the statement alone, before it has seen a row: such a message may be shown. */
const ofStatement = /^(Parser|Syntax|Binder|Catalog|Permission|Not implemented|IO|Out of Memory|INTERRUPT) Error: /;

/** What may be said of an error that rows caused. DuckDB's own message holds their values, and errors end in Temporal's histories. */
const withoutValues = [
  /^Invalid Input Error: CSV Error on Line: \d+/,
  /^Invalid Input Error: Error when sniffing file/,
  /^Invalid Input Error: Malformed JSON in file/,
  /, at byte \d+ in [a-z/ ]+ \d+/,
  /^Invalid Input Error: Cannot change configuration option/,
  /^Invalid Input Error: More than one row returned by a subquery used as an expression/,
  /^Out of Range Error: Overflow in \w+ of \w+/,
  / to (the destination type )?(U?INT\d+|HUGEINT|FLOAT|DOUBLE|BOOL|DATE|TIME|TIMESTAMP)(?=( when casting from source column \w+)?$)/,
  / when casting from source column \w+$/,
];

/** DuckDB's message up to its excerpt of the statement, which shows more of our own SQL than a reader wants. */
const firstParagraph = (error: unknown): string =>
  messageOf(error)
    .split(/\n\s*\n|\nLINE /)[0]!
    .trim();

/** The same without any row's value. */
function reason(error: unknown): string {
  const text = firstParagraph(error);
  if (ofStatement.test(text)) return text;
  const said = withoutValues.flatMap((pattern) => pattern.exec(text)?.[0] ?? []).join('');
  const kind = /^[A-Z][A-Za-z ]* Error/.exec(text)?.[0] ?? 'Error';
  return `${said.startsWith(kind) ? said : `${kind}: a value was refused${said}`} (values are left out: rows do not belong in errors)`;
}

const cancelled = (signal: AbortSignal, cause?: unknown): MlError =>
  new MlError('Cancelled', 'the run was cancelled while DuckDB was working', {}, { cause: cause ?? signal.reason });

const timedOut = (sql: string, limits: DuckdbLimits, cause: unknown): MlError =>
  new MlError(
    'SqlTimeout',
    `a statement took longer than ${limits.seconds} s and was stopped: ${excerpt(sql)}. Look for a join without a condition, or raise the limit`,
    { seconds: limits.seconds },
    { cause },
  );

function failed(sql: string, cause: unknown): MlError {
  if (cause instanceof MlError) return cause;
  // A cause goes to the history with its error, so only one without values may be kept.
  return new MlError('SqlFailed', reason(cause), { sql: excerpt(sql) }, ofStatement.test(messageOf(cause)) ? { cause } : {});
}
