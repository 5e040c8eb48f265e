import { join } from 'node:path';
import { addDuration } from '../core/duration.ts';
import { MlError } from '../core/errors.ts';
import type { SplitSpec } from '../core/model-spec.ts';
import { quoted } from '../core/sql.ts';
import type { Part } from '../core/table.ts';
import { instantMs } from '../core/window.ts';
import { withOwnDuckdb, type DataContext, type Duckdb } from './duckdb.ts';
import { naturalOrder, parquet, quotedList, writeParquet } from './parquet.ts';
import { timestamp } from './rows.ts';

/** One way to divide the rows. Its file holds the key columns and `part`; rows of no part are not in it. */
export interface Fold {
  /** `last-per`, or `origin-2010-01-01`. */
  readonly name: string;
  readonly path: string;
  readonly parts: Readonly<Record<Part, number>>;
  /** Nothing of the training and validation parts is this late; absent where a split is not one moment for all. */
  readonly testFrom?: string;
}

/** Each fold is fitted and examined. */
const maxFolds = 1000;

export interface SplitInput {
  readonly rows: string;
  readonly split: SplitSpec;
  readonly key: readonly string[];
  readonly time?: string;
  /** Where the folds' files go. */
  readonly folder: string;
}

/**
 * Divides rows into training, validation and test rows, once per fold. A row's part is a function of keys and times, never of its position; ties
 * in time are ordered by key, whole numbers by value.
 *
 * @throws {MlError} `SpecInvalid` without a time, `RowsInvalid` if no fold has training and test rows.
 */
export async function splitRows(input: SplitInput, context: DataContext): Promise<readonly Fold[]> {
  const { rows, folder } = input;
  const plans = await withOwnDuckdb(context, (db) => plan(db, input));
  const pathOf = ({ name }: Plan) => join(folder, `${name}.parquet`);
  const divided = await withOwnDuckdb(context, async (db) => {
    const all: Fold[] = [];
    for (const plan of plans) {
      const path = pathOf(plan);
      const assigned = `SELECT ${quotedList(input.key)}, ${plan.part} AS part FROM ${parquet(rows)}`;
      await writeParquet(db, `SELECT * FROM (${assigned}) WHERE part IS NOT NULL`, quotedList(input.key), path);
      const { name, testFrom } = plan;
      all.push({ name, path, parts: await countParts(db, path), ...(testFrom !== undefined && { testFrom }) });
      context.heartbeat?.({ step: 'split', done: all.length, total: plans.length, note: name });
    }
    return all;
  });
  const folds = divided.filter(({ parts }) => parts.train > 0 && parts.test > 0);
  if (folds.length > 0) return folds;
  throw new MlError(
    'RowsInvalid',
    `split "${input.split.by}" leaves no fold with training and test rows: ask for fewer test rows, or a shorter horizon`,
    {
      ...input.split,
    },
  );
}

interface Plan {
  readonly name: string;
  /** SQL expression of a row's part; NULL for none. */
  readonly part: string;
  readonly testFrom?: string;
}

async function plan(db: Duckdb, input: SplitInput): Promise<readonly Plan[]> {
  const { split, time } = input;
  if (split.by === 'share') return [share(input, split)];
  if (time === undefined) {
    throw new MlError('SpecInvalid', `split "${split.by}" orders rows by time: name the column in rows.time`, { split: split.by });
  }
  if (split.by === 'last-per') return [lastPer(input, split, time)];
  return split.by === 'time' ? [await newest(db, input, split, time)] : origins(db, input, split, time);
}

function lastPer({ key }: SplitInput, split: Extract<SplitSpec, { by: 'last-per' }>, time: string): Plan {
  const latestFirst = [`${quoted(time)} DESC`, ...key.map((column) => naturalOrder(column, 'DESC'))].join(', ');
  const place = `row_number() OVER (PARTITION BY ${quoted(split.column)} ORDER BY ${latestFirst})`;
  return {
    name: 'last-per',
    part: `CASE WHEN ${place} <= ${split.test} THEN 'test' WHEN ${place} <= ${split.test + split.validation} THEN 'validation' ELSE 'train' END`,
  };
}

const wholeDays = /^\d+[dw]$/;
const dayMs = 86_400_000;

async function newest(db: Duckdb, { rows }: SplitInput, split: Extract<SplitSpec, { by: 'time' }>, time: string): Promise<Plan> {
  const afterNewest = (await newestMs(db, rows, time)) + 1;
  const { validation, test, gap = '0d' } = split;
  const end = [validation, test, gap].every((each) => wholeDays.test(each)) ? Math.ceil(afterNewest / dayMs) * dayMs : afterNewest;
  const back = (from: number, duration: string): number => (duration === '0d' ? from : addDuration(from, duration, -1));
  const testFrom = back(end, test);
  const validationTo = back(testFrom, gap);
  const validationFrom = back(validationTo, validation);
  const trainTo = back(validationFrom, gap);
  const at = quoted(time);
  const within = (from: number, to: number): string => `${at} >= ${timestamp(from)} AND ${at} < ${timestamp(to)}`;
  return {
    name: 'time',
    part:
      `CASE WHEN ${at} < ${timestamp(trainTo)} THEN 'train' WHEN ${within(validationFrom, validationTo)} THEN 'validation' ` +
      `WHEN ${at} >= ${timestamp(testFrom)} THEN 'test' END`,
    testFrom: new Date(testFrom).toISOString(),
  };
}

function share({ key }: SplitInput, { column, validation, test }: Extract<SplitSpec, { by: 'share' }>): Plan {
  // Rows without a value are one value's: they stay together like any other's.
  const value =
    column === undefined
      ? key.map((part) => `CAST(${quoted(part)} AS VARCHAR)`).join(` || '/' || `)
      : `coalesce(CAST(${quoted(column)} AS VARCHAR), '')`;
  const percent = `CAST(('0x' || substr(sha256(${value}), 1, 8)) AS BIGINT) % 100`;
  const testFrom = 100 - Math.round(100 * test);
  const validationFrom = testFrom - Math.round(100 * validation);
  return {
    name: 'share',
    part: `CASE WHEN ${percent} < ${validationFrom} THEN 'train' WHEN ${percent} < ${testFrom} THEN 'validation' ELSE 'test' END`,
  };
}

async function newestMs(db: Duckdb, rows: string, time: string): Promise<number> {
  const { newest } = await db.row(`SELECT epoch_ms(max(${quoted(time)}))::DOUBLE AS newest FROM ${parquet(rows)}`);
  return Number(newest);
}

async function origins(
  db: Duckdb,
  { rows }: SplitInput,
  split: Extract<SplitSpec, { by: 'rolling-origin' }>,
  time: string,
): Promise<readonly Plan[]> {
  const latest = await newestMs(db, rows, time);
  const [from, last] = [instantMs(split.from), split.to === undefined ? undefined : instantMs(split.to)];
  const plans: Plan[] = [];
  for (let n = 0; ; n++) {
    const origin = addDuration(from, split.every, n);
    const end = addDuration(origin, split.horizon);
    if (last === undefined ? end > latest + 1 : origin > last) return plans;
    if (n === maxFolds) throw new MlError('SpecInvalid', `the split has more than ${maxFolds} origins: raise "every" (${split.every})`, { ...split });
    const at = quoted(time);
    const validation = timestamp(addDuration(origin, split.horizon, -1));
    const iso = new Date(origin).toISOString();
    plans.push({
      name: `origin-${iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.toLowerCase().replaceAll(':', '')}`,
      part: `CASE WHEN ${at} < ${validation} THEN 'train' WHEN ${at} < ${timestamp(origin)} THEN 'validation' WHEN ${at} < ${timestamp(end)} THEN 'test' END`,
      testFrom: iso,
    });
  }
}

async function countParts(db: Duckdb, path: string): Promise<Readonly<Record<Part, number>>> {
  const counts = await db.rows(`SELECT part, count(*)::DOUBLE AS rows FROM ${parquet(path)} GROUP BY part`);
  const of = (part: Part) => Number(counts.find((row) => row['part'] === part)?.['rows'] ?? 0);
  return { train: of('train'), validation: of('validation'), test: of('test') };
}
