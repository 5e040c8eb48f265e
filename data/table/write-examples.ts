import { MlError } from '../../core/errors.ts';
import type { Examples } from '../../core/examples.ts';
import { literal, quoted } from '../../core/sql.ts';
import { type DataContext, withDuckdb } from '../duckdb.ts';
import { inOrder } from '../rows.ts';

/** What the column of labels is called: a float64, as trainers are given it. */
const label = 'label';

/** Writes encoded rows as Parquet, in their order: a float32 column for each feature, NaN where a value is missing, and `label`. Without keys. */
export async function writeExamples({ encoding, features, labels }: Examples, out: string, context: DataContext): Promise<void> {
  const names = encoding.features.map(({ name }) => name);
  const taken = names.find((name) => name.toLowerCase() === label);
  if (taken !== undefined) throw new MlError('TrainingFailed', `a feature is called "${taken}", as the column of labels is: rename the input`);
  await withDuckdb({ write: [out] }, inOrder(context), async (db) => {
    await db.run(`CREATE TEMP TABLE examples (${[...names.map((name) => `${quoted(name)} FLOAT`), `${quoted(label)} DOUBLE`].join(', ')})`);
    await db.append('examples', [...features, labels]);
    await db.run(`COPY examples TO ${literal(out)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, USE_TMP_FILE false)`);
  });
}
