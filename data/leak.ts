import { modelInputs } from '../core/aggregates.ts';
import { MlError } from '../core/errors.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { quoted } from '../core/sql.ts';
import { instantMs } from '../core/window.ts';
import { withAggregates } from './aggregates.ts';
import { namedColumns } from './column-kinds.ts';
import { withDuckdb, type DataContext } from './duckdb.ts';
import { describe, parquet, quotedList } from './parquet.ts';
import { checkedRows, inOrder, rowsPredicate, timestamp, type RowsInput } from './rows.ts';
import type { Fold } from './split.ts';
import { viewSources } from './select.ts';
import { copiesAmong, findTwins, type Twins } from './twins.ts';

export interface LeakReport {
  /** How the sources were cut: at a moment, or by taking the test rows' own source rows out. */
  readonly cut: 'time' | 'key';
  /** The sources that were cut. */
  readonly sources: readonly string[];
  /** Rows compared: training and validation rows, and those of gaps between them. */
  readonly rows: number;
  /** Of rows of a table. */
  readonly twins?: Twins;
}

export interface LeakInput extends RowsInput {
  /** With what a model is given of a row, where the kind of task says that. */
  readonly spec: RowsInput['spec'] & Partial<Pick<ModelSpec, 'request' | 'target' | 'gate'>>;
  readonly rows: string;
  readonly window: Window;
  readonly fold: Fold;
}

/** Floating-point numbers that differ by less than this share of themselves are equal but for rounding. */
const roundingShare = 1e-9;

/**
 * The generic leak check: rows rebuilt from sources that do not know the test rows must equal the training and validation rows, in every column.
 * If they differ, a feature looked into the future, or at the very answer.
 *
 * Test rows that are copies of training rows are a leak, too.
 *
 * A fold with one moment (`testFrom`) cuts each source that has a time there. Otherwise the source rows that bear a test row's key are taken out.
 *
 * @throws {MlError} `LeakFound`, with the columns that differ; `SpecInvalid` if no source can be cut: what was not checked is not called free of leaks.
 */
export async function checkLeak(input: LeakInput, context: DataContext): Promise<LeakReport> {
  const { spec, snapshots, rows, fold } = input;
  const key = spec.rows.key;
  const test = `SELECT ${quotedList(key)} FROM ${parquet(fold.path)} WHERE part = 'test'`;
  const cuts: Record<string, string> = {};
  for (const [name, source] of Object.entries(spec.sources)) {
    if (fold.testFrom !== undefined) {
      if (source.time !== undefined) cuts[name] = `${quoted(source.time)} < ${timestamp(instantMs(fold.testFrom))}`;
    } else if (key.every((column) => namedColumns(source).some((declared) => declared.name === column))) {
      cuts[name] = `(${quotedList(key)}) NOT IN (${test})`;
    }
  }
  const sources = Object.keys(cuts);
  if (sources.length === 0) {
    throw new MlError(
      'SpecInvalid',
      fold.testFrom === undefined
        ? `no source has the columns of rows.key (${key.join(', ')}), so rows cannot be made without the test rows and leaks would stay unseen: give the key its columns' names in the source`
        : 'no source has a time, so none can be cut where the test begins and leaks would stay unseen: name the time column of a source in "time"',
      { key, fold: fold.name },
    );
  }

  const report = await withDuckdb({ read: [...Object.values(snapshots), rows, fold.path] }, inOrder(context), async (db): Promise<LeakReport> => {
    await viewSources(db, snapshots, cuts);
    const select = await checkedRows(db, spec);
    // Rows of a gap are in no part, and come before the cut like training rows.
    const known =
      fold.testFrom === undefined
        ? `SELECT r.* FROM ${parquet(rows)} r SEMI JOIN (SELECT * FROM ${parquet(fold.path)} WHERE part <> 'test') s USING (${quotedList(key)})`
        : `SELECT * FROM ${parquet(rows)} WHERE ${quoted(spec.rows.time!)} < ${timestamp(instantMs(fold.testFrom))}`;
    const rebuilt = `SELECT * FROM (${withAggregates(spec, select)}\n) WHERE ${rowsPredicate(spec, input.window, input.segment)}`;
    await db.run(`CREATE TEMP TABLE known AS ${known}`);
    await db.run(`CREATE TEMP TABLE rebuilt AS ${rebuilt}`);
    const columns = (await describe(db, 'known')).filter(({ name }) => !key.includes(name));
    const differs = ({ name, type }: (typeof columns)[number]) => {
      const [k, b] = [`k.${quoted(name)}`, `b.${quoted(name)}`];
      const unequal = `${k} IS DISTINCT FROM ${b}`;
      // A sum depends on the order of its terms, and another plan may take them in another order.
      if (type !== 'DOUBLE' && type !== 'FLOAT') return unequal;
      return `(${unequal} AND coalesce(abs(${k} - ${b}) > ${roundingShare} * greatest(abs(${k}), abs(${b})), true))`;
    };
    const counts = await db.row(
      `SELECT count(*) FILTER (in_known AND in_rebuilt IS NULL)::DOUBLE AS "0", count(*) FILTER (in_known IS NULL)::DOUBLE AS "1", ` +
        `count(*) FILTER (in_known)::DOUBLE AS "2"${columns.map((column, i) => `, count(*) FILTER (in_known AND in_rebuilt AND ${differs(column)})::DOUBLE AS "c${i}"`).join('')} ` +
        `FROM (SELECT *, true AS in_known FROM known) k FULL JOIN (SELECT *, true AS in_rebuilt FROM rebuilt) b USING (${quotedList(key)})`,
    );
    const [lost, extra] = [Number(counts['0']), Number(counts['1'])];
    const changed = columns.map(({ name }, i) => ({ name, rows: Number(counts[`c${i}`]) })).filter((column) => column.rows > 0);
    if (lost + extra + changed.length === 0) return { cut: fold.testFrom === undefined ? 'key' : 'time', sources, rows: Number(counts['2']) };
    const found = [
      ...changed.map((column) => `column "${column.name}" differs in ${column.rows} rows`),
      ...(lost > 0 ? [`${lost} rows are missing`] : []),
      ...(extra > 0 ? [`${extra} rows are new`] : []),
    ];
    throw new MlError(
      'LeakFound',
      `rows.sql looks at what it is to be examined on: rebuilt without the test rows of fold "${fold.name}" (${sources.join(', ')} cut), ${found.join(', ')}. ` +
        'A feature of a row may use only what was known at its time',
      { reason: 'label-leak', fold: fold.name, columns: changed, lost, extra },
    );
  });
  const twins = await checkTwins(input, context);
  return { ...report, ...(twins && { twins }) };
}

/** Rows that were entered twice are not rebuilt differently: they are seen by being alike. */
async function checkTwins({ spec, rows, fold }: Pick<LeakInput, 'spec' | 'rows' | 'fold'>, context: DataContext): Promise<Twins | undefined> {
  const { request, target, gate } = spec;
  if (request === undefined || target === undefined || !('column' in target)) return undefined;
  const inputs = Object.entries(modelInputs(spec)).flatMap(([name, kind]) => (kind === 'key' || kind === 'time' ? [] : [name]));
  const columns = [...new Set([...inputs, target.column])];
  // A sum of chances depends on the order of its terms, and a report that is made again has to be the same.
  const found = await withDuckdb({ read: [rows, fold.path] }, inOrder(context), async (db) => {
    const given = new Set((await describe(db, parquet(rows))).map(({ name }) => name));
    // What a spec misspells is told where rows are encoded.
    if (inputs.length === 0 || !columns.every((column) => given.has(column))) return undefined;
    return findTwins(db, { rows, split: fold.path, key: spec.rows.key, columns });
  });
  const copies = found === undefined ? 0 : copiesAmong(found);
  if (copies === 0 || gate?.trusted?.twins !== undefined) return found;
  throw new MlError(
    'LeakFound',
    `test rows in training: ${copies} of the ${found!.test} test rows of fold "${fold.name}" are copies of training or validation rows, equal in all inputs and in ${target.column}, ` +
      'so that a model knows them by heart. Keep one of each in rows.sql, split by a "column" that copies share, or say why they are different events in gate.trusted.twins',
    { reason: 'test-rows-in-training', fold: fold.name, copies, ...found },
  );
}
