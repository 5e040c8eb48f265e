import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MlError } from '../../core/errors.ts';
import { type KeptRow, KeptRows, type KeptShape, lateMs, type Put } from '../../core/features/kept-rows.ts';
import { makeFolder } from '../../stores/make-folder.ts';
import { type LoggedRow, openRowLog, type RowLog, type RowLogOptions } from './row-log.ts';

/** How many of the rows that were pushed were new, told more of a known row, told nothing new, and came too late for any window. */
export type Pushed = Readonly<Record<Put, number>>;

/** What is kept of one source: in memory to be asked, and on disk to be there after a crash. */
export class KeptSource {
  readonly rows: KeptRows;
  readonly #log: RowLog;

  private constructor(rows: KeptRows, log: RowLog) {
    this.rows = rows;
    this.#log = log;
  }

  /** @throws {MlError} `LogCorrupt` */
  static async open(folder: string, shape: KeptShape, options: Pick<RowLogOptions, 'onFailure' | 'compactAfterBytes'>): Promise<KeptSource> {
    const rows = new KeptRows(shape);
    const tables = shape.tables.length;
    await makeFolder(folder);
    // For whoever looks into the folder.
    await writeFile(join(folder, 'shape.json'), JSON.stringify(shape, null, 2));
    const log = await openRowLog({
      ...options,
      folder,
      replay: (logged) => void rows.put(logged.map((row) => keptOf(row, tables))),
      *wanted() {
        for (const some of rows.sweep()) yield some.map(loggedOf);
      },
    });
    return new KeptSource(rows, log);
  }

  /**
   * Takes rows; when it resolves they are on disk. They are seen from the first moment, since nobody is harmed by knowing what is about to be written.
   *
   * @throws {MlError} `RequestInvalid` for a row of the future, which would make all others old; `StoreFull`, `StoreUnavailable`: push the rows again.
   */
  async push(rows: readonly KeptRow[], nowMs: number): Promise<Pushed> {
    const early = rows.findIndex(({ timeMs }) => timeMs > nowMs + lateMs);
    if (early >= 0) {
      throw new MlError('RequestInvalid', `row ${early}: ${new Date(rows[early]!.timeMs).toISOString()} is more than a day in the future`, {
        row: early,
      });
    }
    const pushed = { added: 0, changed: 0, known: 0, late: 0 };
    const put = this.rows.put(rows);
    for (const each of put) pushed[each]++;
    // A row that came late must not be in time when the log is read.
    await this.#log.append(rows.filter((_, at) => put[at] !== 'late').map(loggedOf));
    return pushed;
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

/** JSON has no NaN. */
const loggedOf = ({ key, timeMs, by, values }: KeptRow): LoggedRow => [
  key,
  timeMs,
  ...by,
  ...values.map((value) => (Number.isNaN(value) ? null : value)),
];

function keptOf(logged: LoggedRow, tables: number): KeptRow {
  const [key, timeMs, ...rest] = logged as [string, number, ...(string | number | null)[]];
  return {
    key,
    timeMs,
    by: rest.slice(0, tables) as (string | null)[],
    values: rest.slice(tables).map((value) => (value === null ? Number.NaN : (value as number))),
  };
}
