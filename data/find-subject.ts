import { literal, quoted } from '../core/sql.ts';
import { type DataContext, withDuckdb } from './duckdb.ts';

/** Who is sought: everybody with this value, as text, in a column of this name. */
export interface Subject {
  readonly column: string;
  readonly value: string;
}

/** Those of the Parquet files that hold any of the subjects. A name of a column counts in whatever case it is written. */
export function filesWith(subjects: readonly Subject[], paths: readonly string[], context: DataContext): Promise<readonly string[]> {
  return withDuckdb({ read: paths }, context, async (db) => {
    const found: string[] = [];
    for (const path of paths) {
      const file = `read_parquet(${literal(path)})`;
      const columns = (await db.rows(`DESCRIBE SELECT * FROM ${file}`)).map(({ column_name: name }) => String(name));
      const tests = subjects.flatMap(({ column, value }) =>
        columns.filter((name) => name.toLowerCase() === column.toLowerCase()).map((name) => `CAST(${quoted(name)} AS VARCHAR) = ${literal(value)}`),
      );
      if (tests.length > 0 && (await db.rows(`SELECT 1 AS it FROM ${file} WHERE ${tests.join(' OR ')} LIMIT 1`)).length > 0) found.push(path);
    }
    return found;
  });
}
