import type { Json } from '../core/artifact.ts';
import { addDuration } from '../core/duration.ts';
import { MlError } from '../core/errors.ts';
import type { ContractCheck, ModelSpec, Severity } from '../core/model-spec.ts';
import { quoted } from '../core/sql.ts';
import { instantMs } from '../core/window.ts';
import { kindTypes, namedColumns } from './column-kinds.ts';
import { withDuckdb, type DataContext, type Duckdb, type Row } from './duckdb.ts';
import { describe, quotedList } from './parquet.ts';
import { checkSelect, viewSources } from './select.ts';

export interface ContractViolation {
  /** A check's kind, or `schema`. */
  readonly check: ContractCheck['check'] | 'schema';
  /** `source.column`, `source`, or the name of an SQL check. */
  readonly of: string;
  readonly severity: Severity;
  /** Rows that break it (for `row-count` the rows there are; for `fresh` 1). */
  readonly count: number;
  /** `count` of all rows of the source, 0–1. */
  readonly share: number;
  /** The first offending rows by key. They stay in the report: no error message shows a row. */
  readonly samples: readonly Json[];
  readonly message: string;
}

/** The content of a `contract` artifact. */
export interface ContractReport {
  readonly format: 1;
  /** Whether no violation has the severity `fail`. */
  readonly passed: boolean;
  /** How many checks were made, those that the keys and kinds imply included. */
  readonly checks: number;
  readonly sources: Readonly<Record<string, { readonly rows: number }>>;
  readonly violations: readonly ContractViolation[];
}

const maxSamples = 5;

/** What a check found: nothing, or offending rows as a relation. */
type Finding = Omit<ContractViolation, 'check' | 'of' | 'severity'> | undefined;

/**
 * Checks what the spec promises about its sources, and what every source must hold: declared types, keys that are there and unique. A broken
 * contract is a report, not an error: the caller decides.
 *
 * @throws {MlError} `SpecInvalid` if a check names what the spec does not have; `SqlRefused`, `SqlFailed`, `SqlTimeout` of SQL checks.
 */
export async function checkContract(
  input: { readonly spec: Pick<ModelSpec, 'sources' | 'contract'>; readonly snapshots: Readonly<Record<string, string>> },
  context: DataContext,
): Promise<ContractReport> {
  const { spec, snapshots } = input;
  return withDuckdb({ read: Object.values(snapshots) }, context, async (db) => {
    await viewSources(db, snapshots);
    const sources: Record<string, { rows: number }> = {};
    for (const name of Object.keys(spec.sources)) {
      sources[name] = { rows: Number((await db.row(`SELECT count(*)::DOUBLE AS n FROM ${quoted(name)}`))['n']) };
    }
    const checker = new Checker(db, spec, sources);
    const violations: ContractViolation[] = [];
    const add = (check: ContractViolation['check'], of: string, severity: Severity, found: Finding) => {
      if (found) violations.push({ check, of, severity, ...found });
    };
    let checks = 0;
    for (const [name, source] of Object.entries(spec.sources)) {
      add('schema', name, 'fail', await checker.schema(name));
      for (const key of source.key) add('not-null', `${name}.${key}`, 'fail', await checker.notNull(name, key, 0));
      add('unique', name, 'fail', await checker.unique(name, source.key));
      checks += 2 + source.key.length;
    }
    for (const check of spec.contract ?? []) {
      context.heartbeat?.({ step: 'contract', done: checks, note: check.check });
      add(check.check, 'of' in check ? check.of : check.name, check.severity ?? 'fail', await checker.run(check));
      checks++;
    }
    return { format: 1, passed: violations.every(({ severity }) => severity !== 'fail'), checks, sources, violations };
  });
}

class Checker {
  readonly #db: Duckdb;
  readonly #spec: Pick<ModelSpec, 'sources'>;
  readonly #rows: Readonly<Record<string, { readonly rows: number }>>;

  constructor(db: Duckdb, spec: Pick<ModelSpec, 'sources'>, rows: Readonly<Record<string, { readonly rows: number }>>) {
    this.#db = db;
    this.#spec = spec;
    this.#rows = rows;
  }

  async run(check: ContractCheck): Promise<Finding> {
    switch (check.check) {
      case 'not-null':
        return this.notNull(...this.#column(check.of), check.maxShare ?? 0);
      case 'range':
        return this.range(check);
      case 'unique': {
        const source = this.#source(check.of);
        const columns = check.columns ?? this.#spec.sources[source]!.key;
        for (const column of columns) this.#column(`${source}.${column}`);
        return this.unique(source, columns);
      }
      case 'references':
        return this.references(check);
      case 'row-count':
        return this.rowCount(check);
      case 'fresh':
        return this.fresh(check);
      case 'sql':
        return this.sql(check);
    }
  }

  async schema(source: string): Promise<Finding> {
    const found = new Map((await describe(this.#db, quoted(source))).map(({ name, type }) => [name, type]));
    const wrong = namedColumns(this.#spec.sources[source]!).filter(({ name, kind }) => found.get(name) !== kindTypes[kind]);
    if (wrong.length === 0) return undefined;
    const faults = wrong.map(({ name, kind }) => `${name} is ${found.get(name) ?? 'missing'} instead of ${kindTypes[kind]}`);
    return { count: wrong.length, share: 1, samples: [], message: `${source}: ${faults.join(', ')}` };
  }

  notNull(source: string, column: string, maxShare: number): Promise<Finding> {
    return this.#offending(source, `${quoted(column)} IS NULL`, (count, share) =>
      share > maxShare ? `${source}.${column} is missing in ${count} rows (${percent(share)}; allowed ${percent(maxShare)})` : undefined,
    );
  }

  range({ of, min, max }: Extract<ContractCheck, { check: 'range' }>): Promise<Finding> {
    const [source, column] = this.#column(of);
    const isTime = namedColumns(this.#spec.sources[source]!).some(({ name, kind }) => name === column && kind === 'time');
    const bound = (value: number | string): string => {
      if (isTime === (typeof value === 'string')) return isTime ? `make_timestamp_ms(${instantMs(String(value))})` : String(value);
      const wanted = isTime ? 'a time, so give instants such as "2021-01-01"' : 'no time, so give numbers';
      throw new MlError('SpecInvalid', `the contract bounds "${of}" by ${JSON.stringify(value)}: it is ${wanted}`, { of });
    };
    const outside = [
      ...(min === undefined ? [] : [`${quoted(column)} < ${bound(min)}`]),
      ...(max === undefined ? [] : [`${quoted(column)} > ${bound(max)}`]),
    ];
    const allowed = `${min === undefined ? '' : `from ${min} `}${max === undefined ? 'up' : `to ${max}`}`;
    return this.#offending(source, outside.join(' OR ') || 'false', (count, share) =>
      count > 0 ? `${of} is out of range in ${count} rows (${percent(share)}; allowed ${allowed})` : undefined,
    );
  }

  async unique(source: string, columns: readonly string[]): Promise<Finding> {
    const list = quotedList(columns);
    const groups = `SELECT ${list}, count(*)::INTEGER AS rows FROM ${quoted(source)} GROUP BY ${list} HAVING count(*) > 1`;
    const { count } = await this.#db.row(`SELECT coalesce(sum(rows - 1), 0)::DOUBLE AS count FROM (${groups})`);
    if (Number(count) === 0) return undefined;
    const samples = await this.#db.rows(`${groups} ORDER BY ${list} LIMIT ${maxSamples}`);
    const message = `${source} has ${Number(count)} rows too many for unique ${columns.join(', ')}`;
    return { count: Number(count), share: this.#share(source, Number(count)), samples, message };
  }

  references({ of, to, maxShare = 0 }: Extract<ContractCheck, { check: 'references' }>): Promise<Finding> {
    const [[source, column], [target, targetColumn]] = [this.#column(of), this.#column(to)];
    const known = `SELECT ${quoted(targetColumn)} FROM ${quoted(target)} WHERE ${quoted(targetColumn)} IS NOT NULL`;
    return this.#offending(source, `${quoted(column)} IS NOT NULL AND ${quoted(column)} NOT IN (${known})`, (count, share) =>
      share > maxShare ? `${of} names ${count} times what ${to} does not have (${percent(share)}; allowed ${percent(maxShare)})` : undefined,
    );
  }

  async rowCount({ of, min, max }: Extract<ContractCheck, { check: 'row-count' }>): Promise<Finding> {
    const rows = this.#rows[this.#source(of)]!.rows;
    if (rows >= (min ?? 0) && rows <= (max ?? Number.POSITIVE_INFINITY)) return undefined;
    const allowed = `${min === undefined ? '' : `at least ${min}`}${max === undefined ? '' : ` at most ${max}`}`.trim();
    return { count: rows, share: 1, samples: [], message: `${of} has ${rows} rows (allowed ${allowed})` };
  }

  async fresh({ of, within, asOf }: Extract<ContractCheck, { check: 'fresh' }>): Promise<Finding> {
    const [source, column] = this.#column(of);
    if (asOf === undefined && !Object.entries(this.#spec.sources).some(([name, { time }]) => name !== source && time !== undefined)) {
      throw new MlError(
        'SpecInvalid',
        `the contract asks whether ${of} is fresh, but without "asOf" the newest row of any source is the present, and no other source has a time: ` +
          'it could never fail. Give "asOf", or the "time" of another source',
        { of },
      );
    }
    const newest = await this.#newest(source, column);
    const until = asOf === undefined ? await this.#newestOfAll() : instantMs(asOf);
    if (newest !== undefined && (until === undefined || newest >= addDuration(until, within, -1))) return undefined;
    const age = newest === undefined ? 'has no rows' : `ends at ${new Date(newest).toISOString()}`;
    const wanted = until === undefined ? '' : `, more than ${within} before ${new Date(until).toISOString()}`;
    return { count: 1, share: 1, samples: [], message: `${of} ${age}${wanted}` };
  }

  async sql({ name, sql }: Extract<ContractCheck, { check: 'sql' }>): Promise<Finding> {
    const select = await checkSelect(this.#db, sql, Object.keys(this.#spec.sources), `contract "${name}"`);
    const { count } = await this.#db.row(`SELECT count(*)::DOUBLE AS count FROM (${select}\n)`);
    if (Number(count) === 0) return undefined;
    const samples = await this.#db.rows(`SELECT * FROM (${select}\n) ORDER BY ALL LIMIT ${maxSamples}`);
    return { count: Number(count), share: 1, samples, message: `"${name}" finds ${Number(count)} rows` };
  }

  /** Rows that meet a condition, if `judge` finds words for their number. */
  async #offending(source: string, condition: string, judge: (count: number, share: number) => string | undefined): Promise<Finding> {
    const { count } = await this.#db.row(`SELECT count(*)::DOUBLE AS count FROM ${quoted(source)} WHERE ${condition}`);
    const share = this.#share(source, Number(count));
    const message = judge(Number(count), share);
    if (message === undefined) return undefined;
    const samples: readonly Row[] = await this.#db.rows(`SELECT * FROM ${quoted(source)} WHERE ${condition} ORDER BY ALL LIMIT ${maxSamples}`);
    return { count: Number(count), share, samples, message };
  }

  #share(source: string, count: number): number {
    const { rows } = this.#rows[source]!;
    return rows === 0 ? 0 : count / rows;
  }

  #source(name: string): string {
    if (Object.hasOwn(this.#spec.sources, name)) return name;
    throw new MlError(
      'SpecInvalid',
      `the contract names source "${name}", which the spec does not have (${Object.keys(this.#spec.sources).join(', ')})`,
      { name },
    );
  }

  #column(qualified: string): [source: string, column: string] {
    const dot = qualified.indexOf('.');
    const source = this.#source(dot < 0 ? qualified : qualified.slice(0, dot));
    const column = qualified.slice(dot + 1);
    const columns = Object.keys(this.#spec.sources[source]!.columns);
    if (dot > 0 && columns.includes(column)) return [source, column];
    throw new MlError(
      'SpecInvalid',
      `the contract names "${qualified}", but ${source} has the columns ${columns.join(', ')}: write "source.column"`,
      { qualified },
    );
  }

  async #newest(source: string, column: string): Promise<number | undefined> {
    const { newest } = await this.#db.row(`SELECT epoch_ms(max(${quoted(column)}))::DOUBLE AS newest FROM ${quoted(source)}`);
    return newest === null ? undefined : Number(newest);
  }

  async #newestOfAll(): Promise<number | undefined> {
    let all: number | undefined;
    for (const [name, { time }] of Object.entries(this.#spec.sources)) {
      const newest = time === undefined ? undefined : await this.#newest(name, time);
      if (newest !== undefined && newest > (all ?? Number.NEGATIVE_INFINITY)) all = newest;
    }
    return all;
  }
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
