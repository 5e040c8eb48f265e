import { join } from 'node:path';
import { addDuration } from '../core/duration.ts';
import { MlError } from '../core/errors.ts';
import type { SplitSpec } from '../core/model-spec.ts';
import { quoted } from '../core/sql.ts';
import type { Part } from '../core/table.ts';
import { instantMs } from '../core/window.ts';
import { withDuckdb, type DataContext, type Duckdb } from './duckdb.ts';
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
  const { rows, split, time, folder } = input;
  if (time === undefined)
    throw new MlError('SpecInvalid', `split "${split.by}" orders rows by time: name the column in rows.time`, { split: split.by });
  const plans = await withDuckdb({ read: [rows] }, context, async (db) =>
    split.by === 'last-per' ? [lastPer(input, split, time)] : origins(db, input, split, time),
  );
  const pathOf = ({ name }: Plan) => join(folder, `${name}.parquet`);
  const divided = await withDuckdb({ read: [rows], write: plans.map(pathOf) }, context, async (db) => {
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
  throw new MlError('RowsInvalid', `split "${split.by}" leaves no fold with training and test rows: ask for fewer test rows, or a shorter horizon`, {
    ...split,
  });
}

interface Plan {
  readonly name: string;
  /** SQL expression of a row's part; NULL for none. */
  readonly part: string;
  readonly testFrom?: string;
}

function lastPer({ key }: SplitInput, split: Extract<SplitSpec, { by: 'last-per' }>, time: string): Plan {
  const latestFirst = [`${quoted(time)} DESC`, ...key.map((column) => naturalOrder(column, 'DESC'))].join(', ');
  const place = `row_number() OVER (PARTITION BY ${quoted(split.column)} ORDER BY ${latestFirst})`;
  return {
    name: 'last-per',
    part: `CASE WHEN ${place} <= ${split.test} THEN 'test' WHEN ${place} <= ${split.test + split.validation} THEN 'validation' ELSE 'train' END`,
  };
}

async function origins(
  db: Duckdb,
  { rows }: SplitInput,
  split: Extract<SplitSpec, { by: 'rolling-origin' }>,
  time: string,
): Promise<readonly Plan[]> {
  const { newest } = await db.row(`SELECT epoch_ms(max(${quoted(time)}))::DOUBLE AS newest FROM ${parquet(rows)}`);
  const [from, last] = [instantMs(split.from), split.to === undefined ? undefined : instantMs(split.to)];
  const plans: Plan[] = [];
  for (let n = 0; ; n++) {
    const origin = addDuration(from, split.every, n);
    const end = addDuration(origin, split.horizon);
    if (last === undefined ? end > Number(newest) + 1 : origin > last) return plans;
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
