import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { quoted } from '../../core/sql.ts';
import { namedColumns } from '../column-kinds.ts';
import type { DataContext, Duckdb } from '../duckdb.ts';
import { decrypted, type Identities, identitiesOf, isAge } from './age.ts';
import { csvRecords, type CsvRecord } from './csv-records.ts';
import { keyReference, openPseudonyms, placeOf, type Pseudonym } from './pseudonym.ts';
import type { SnapshotRequest, SourceRequest } from './reader.ts';
import { expectColumns, type RawRelation } from './snapshot.ts';
import { MlError } from '../../core/errors.ts';

/** As many as a chunk of DuckDB's holds. */
const rowsAtOnce = 2048;
const table = 'rows of the stream';

/** Whether files must be read here: what DuckDB reads itself it may write to its temporary files. */
export const isPrivate = ({ source }: SourceRequest, files: readonly string[]): boolean =>
  files.some(isAge) || namedColumns(source).some(({ pseudonym }) => pseudonym);

/**
 * CSV files, encrypted or not, as a table of text in DuckDB's memory: declared columns only, with pseudonyms. Nothing else gets past this file.
 *
 * @throws {MlError} what `decrypted`, `csvRecords` and `openPseudonyms` throw; `SourceInvalid` if a column or a field is missing.
 */
export async function streamedCsv(
  request: SnapshotRequest,
  files: readonly string[],
  context: DataContext,
): Promise<Omit<RawRelation, 'sourceSha256'>> {
  const columns = namedColumns(request.source);
  const pseudonym = columns.some((column) => column.pseudonym) ? await openPseudonyms(request) : undefined;
  const identities = files.some(isAge) ? await openIdentities(request) : [];
  const names = [...new Set(columns.map(({ named }) => named))];
  const hidden = new Set(columns.flatMap((column) => (column.pseudonym ? [column.named] : [])));
  return {
    relation: quoted(table),
    files: [],
    text: true,
    async fill(db) {
      await db.run(`CREATE TABLE ${quoted(table)} (${names.map((name) => `${quoted(name)} VARCHAR`).join(', ')})`);
      for (const file of files) {
        const where = `source "${request.name}" (${basename(file)})`;
        const pieces = isAge(file)
          ? decrypted(file, identities, context.signal)
          : createReadStream(file, { highWaterMark: 1 << 18, signal: context.signal });
        await fillFrom(
          db,
          csvRecords(pieces, where),
          { request, where, names, pseudonyms: names.map((name) => (hidden.has(name) ? pseudonym : undefined)) },
          context,
        );
      }
    },
  };
}

async function openIdentities(request: SourceRequest): Promise<Identities> {
  const reference = keyReference(request, 'identity', 'is encrypted');
  return identitiesOf(await request.readSecret(reference), placeOf(reference));
}

interface Wanted {
  readonly request: SnapshotRequest;
  readonly where: string;
  /** Of the source's columns, in the order of the table's. */
  readonly names: readonly string[];
  /** What replaces their values, where they are not kept. */
  readonly pseudonyms: readonly (Pseudonym | undefined)[];
}

async function fillFrom(
  db: Duckdb,
  records: AsyncIterable<readonly CsvRecord[]>,
  { request, where, names, pseudonyms }: Wanted,
  context: DataContext,
): Promise<void> {
  let [header, places]: [CsvRecord | undefined, readonly number[]] = [undefined, []];
  let [batch, done] = [names.map((): (string | null)[] => []), 0];
  const flush = async (): Promise<void> => {
    const [rows] = [batch[0]!.length];
    if (rows > 0) await db.append(table, batch);
    [batch, done] = [names.map(() => []), done + rows];
    context.heartbeat?.({ step: 'read', done, note: where });
  };
  for await (const some of records) {
    for (const record of some) {
      if (header === undefined) {
        header = record;
        expectColumns(
          request,
          record.map((name) => name ?? ''),
          names,
        );
        places = names.map((name) => record.indexOf(name));
        continue;
      }
      if (record.length !== header.length) {
        throw new MlError(
          'SourceInvalid',
          `${where} cannot be read as csv: row ${done + batch[0]!.length + 1} has ${record.length} fields, and its header ${header.length}`,
          {
            row: done + batch[0]!.length + 1,
          },
        );
      }
      for (const [column, place] of places.entries()) {
        const value = record[place]!;
        batch[column]!.push(value === null ? null : (pseudonyms[column]?.(value) ?? value));
      }
      if (batch[0]!.length === rowsAtOnce) await flush();
    }
  }
  if (header === undefined) expectColumns(request, [], names);
  await flush();
}
