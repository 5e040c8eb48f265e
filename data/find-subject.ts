import { literal, quoted } from '../core/sql.ts';
import { type DataContext, withDuckdb } from './duckdb.ts';

/** Who is sought: everybody with this value, as text, in a column of this name. */
export interface Subject {
  readonly column: string;
  readonly value: string;
}

/** Where subjects were found, and where one looked. */
export interface Sought {
  /** Those of the files that hold any of the subjects. */
  readonly holding: readonly string[];
  /** The columns of all the files. */
  readonly columns: ReadonlySet<string>;
}

/** Looks for subjects in Parquet files. A name of a column counts in whatever case it is written. */
export function seek(subjects: readonly Subject[], paths: readonly string[], context: DataContext): Promise<Sought> {
  return withDuckdb({ read: paths }, context, async (db) => {
    const holding: string[] = [];
    const columns = new Set<string>();
    for (const path of paths) {
      const file = `read_parquet(${literal(path)})`;
      const own = (await db.rows(`DESCRIBE SELECT * FROM ${file}`)).map(({ column_name: name }) => String(name));
      for (const name of own) columns.add(name);
      const tests = subjects.flatMap(({ column, value }) =>
        own.filter((name) => isNamed(name, column)).map((name) => `CAST(${quoted(name)} AS VARCHAR) = ${literal(value)}`),
      );
      if (tests.length > 0 && (await db.rows(`SELECT 1 AS it FROM ${file} WHERE ${tests.join(' OR ')} LIMIT 1`)).length > 0) holding.push(path);
    }
    return { holding, columns };
  });
}

/** Whether a column is the one that somebody wrote. */
export const isNamed = (column: string, written: string): boolean => column.toLowerCase() === written.toLowerCase();
