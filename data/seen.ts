import { withDuckdb, type DataContext, type Duckdb } from './duckdb.ts';
import { describe, parquet, quotedList, writeParquet } from './parquet.ts';

/** A model that was fitted before, and may sit an exam again. */
export interface Rival {
  readonly name: string;
  /** Split files of its own exam: their training and validation rows it has seen. */
  readonly splits: readonly string[];
  /** It sits only an exam of which it has seen nothing: no row is left out for it. */
  readonly asGuest?: boolean;
}

export interface SeenInput {
  /** The split file of one fold, which must be made fair. */
  readonly split: string;
  /** Those of all folds of the exam, this one included: whether an exam is fair is decided once, the same for all its folds. */
  readonly exam: readonly string[];
  readonly key: readonly string[];
  readonly rivals: readonly Rival[];
  readonly out: string;
}

export interface FairFold {
  /** Who sits the exam; the others cannot. */
  readonly sitting: readonly string[];
  /** Test rows of this fold that one who sits has seen. `out` is written only if there are any. */
  readonly leftOut: number;
}

/** If fewer test rows than this would be left in all folds, an exam with the rivals says nothing. */
const fewestUnseen = 20;

/**
 * Makes an exam fair: test rows that a rival has been fitted on are taken out of a split. A rival whose rows have another key cannot sit it, since
 * nobody can tell what it has seen; and where that would leave too few, no rival sits it but guests, and all rows stay.
 */
export async function leaveOutSeen(input: SeenInput, context: DataContext): Promise<FairFold> {
  const { split, exam, rivals, out } = input;
  if (rivals.length === 0) return { sitting: [], leftOut: 0 };
  const read = [...new Set([split, ...exam, ...rivals.flatMap(({ splits }) => splits)])];
  return withDuckdb({ read, write: [out] }, context, async (db) => {
    const columns = quotedList(input.key);
    const own = await columnsOf(db, split);
    const alike = async ({ splits }: Rival) => (await Promise.all(splits.map((path) => columnsOf(db, path)))).every((its) => its === own);
    const seenRows = (rivals: readonly Rival[]): string => {
      const paths = [...new Set(rivals.flatMap(({ splits }) => splits))];
      const seen = paths.map((path) => `SELECT ${columns} FROM ${parquet(path)} WHERE part <> 'test'`);
      return [`SELECT ${columns} FROM ${parquet(split)} WHERE false`, ...seen].join(' UNION ALL ');
    };
    const among = (rivals: readonly Rival[]) => `SEMI JOIN (${seenRows(rivals)}) USING (${columns})`;

    const able: Rival[] = [];
    for (const rival of rivals) if ((await alike(rival)) && !(rival.asGuest && (await countOf(db, exam, among([rival]))) > 0)) able.push(rival);
    const guests = able.filter(({ asGuest }) => asGuest);
    const [known, all] = [await countOf(db, exam, among(able)), await countOf(db, exam, '')];
    const sitting = known > 0 && all - known < fewestUnseen ? guests : able;

    const leftOut = await countOf(db, [split], among(sitting));
    if (leftOut > 0) {
      const kept = `SELECT * FROM ${parquet(split)} WHERE part <> 'test' OR (${columns}) NOT IN (SELECT (${columns}) FROM (${seenRows(sitting)}))`;
      await writeParquet(db, kept, columns, out);
    }
    return { sitting: sitting.map(({ name }) => name), leftOut };
  });
}

/** A split file holds the key and the part: with another key it has other columns. */
async function columnsOf(db: Duckdb, split: string): Promise<string> {
  const columns = await describe(db, parquet(split));
  return JSON.stringify(columns.map(({ name, type }) => [name, type]).toSorted());
}

async function countOf(db: Duckdb, splits: readonly string[], join: string): Promise<number> {
  let rows = 0;
  // Folds may share test rows, and each counts.
  for (const path of splits) {
    const { n } = await db.row(`SELECT count(*)::DOUBLE AS n FROM (SELECT * FROM ${parquet(path)} WHERE part = 'test') ${join}`);
    rows += Number(n);
  }
  return rows;
}
