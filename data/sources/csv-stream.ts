import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MlError } from '../../core/errors.ts';
import { quoted } from '../../core/sql.ts';
import { namedColumns } from '../column-kinds.ts';
import type { DataContext } from '../duckdb.ts';
import { placeOf } from '../secret.ts';
import { decrypted, type Identities, identitiesOf, isAge } from './age.ts';
import { csvRecords, type CsvRecord } from './csv-records.ts';
import { openPseudonyms, type Pseudonym } from './pseudonym.ts';
import { keyReference, type SnapshotRequest, type SourceRequest } from './reader.ts';
import { expectColumns, type RawRelation } from './snapshot.ts';

/** As many as a chunk of DuckDB's holds. */
const rowsAtOnce = 2048;
const table = 'rows of the stream';

/** Whether files must be read here: what DuckDB reads itself it may write to its temporary files. */
export const isPrivate = ({ source }: SourceRequest, files: readonly string[]): boolean =>
  files.some(isAge) || namedColumns(source).some(({ pseudonym }) => pseudonym);

/** A column of the source that is kept, and what replaces its values. */
interface Kept {
  readonly named: string;
  readonly pseudonym: Pseudonym | undefined;
}

/**
 * CSV files, encrypted or not, as a table of text in DuckDB: declared columns only, with pseudonyms. Nothing else gets past this file.
 *
 * @throws {MlError} `SourceKeyMissing`, `SourceKeyInvalid`, `SecretMissing`; `fill` also what `decrypted` and `csvRecords` throw, and `SourceInvalid` if
 * a column or a field is missing.
 */
export async function streamedCsv(
  request: SnapshotRequest,
  files: readonly string[],
  context: DataContext,
): Promise<Omit<RawRelation, 'sourceSha256'>> {
  const columns = namedColumns(request.source);
  const pseudonym = columns.some((column) => column.pseudonym) ? await openPseudonyms(request) : undefined;
  const identities = files.some(isAge) ? await openIdentities(request) : [];
  const kept = [...new Map(columns.map((column) => [column.named, { named: column.named, pseudonym: column.pseudonym && pseudonym }])).values()];
  return {
    relation: quoted(table),
    files: [],
    text: true,
    async fill(db) {
      await db.run(`CREATE TABLE ${quoted(table)} (${kept.map(({ named }) => `${quoted(named)} VARCHAR`).join(', ')})`);
      let done = 0;
      for (const file of files) {
        const where = `source "${request.name}" (${basename(file)})`;
        for await (const batch of batchesOf(request, csvRecords(piecesOf(file, where, identities, context), where), where, kept)) {
          await db.append(table, batch);
          done += batch[0]!.length;
          context.heartbeat?.({ step: 'read', done, note: where });
        }
      }
    },
  };
}

async function openIdentities(request: SourceRequest): Promise<Identities> {
  const reference = keyReference(request, 'identity', 'is encrypted');
  return identitiesOf(await request.readSecret(reference), placeOf(reference));
}

/** The bytes of a file as they were before they were packed and encrypted. */
function piecesOf(file: string, where: string, identities: Identities, { signal }: DataContext): AsyncIterable<Uint8Array> {
  const pieces = isAge(file) ? decrypted(file, identities, signal) : createReadStream(file, { highWaterMark: 1 << 18, signal });
  return /\.gz(\.age)?$/.test(file) ? unpacked(pieces, where) : pieces;
}

async function* unpacked(pieces: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // Its error is that of the iteration below.
  pipeline(pieces, gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    throw new MlError('SourceInvalid', `${where} cannot be unpacked: it is not what gzip wrote, or was cut off`, {});
  }
}

/** Rows by the columns that are kept. */
async function* batchesOf(
  request: SnapshotRequest,
  records: AsyncIterable<readonly CsvRecord[]>,
  where: string,
  kept: readonly Kept[],
): AsyncGenerator<readonly (string | null)[][]> {
  const empty = (): (string | null)[][] => kept.map(() => []);
  let [batch, row] = [empty(), 0];
  let header: CsvRecord | undefined;
  let places: readonly number[] = [];
  for await (const some of records) {
    for (const record of some) {
      if (header === undefined) {
        header = record;
        places = placesOf(request, header, kept);
        continue;
      }
      row++;
      if (record.length !== header.length) {
        const found = `row ${row} has ${record.length} fields, and its header ${header.length}`;
        throw new MlError('SourceInvalid', `${where} cannot be read as csv: ${found}`, { row });
      }
      for (const [column, { pseudonym }] of kept.entries()) {
        const value = record[places[column]!]!;
        batch[column]!.push(value === null || pseudonym === undefined ? value : pseudonym(value));
      }
      if (row % rowsAtOnce > 0) continue;
      yield batch;
      batch = empty();
    }
  }
  if (header === undefined) placesOf(request, [], kept);
  if (row % rowsAtOnce > 0) yield batch;
}

function placesOf(request: SnapshotRequest, header: CsvRecord, kept: readonly Kept[]): readonly number[] {
  const names = header.map((name) => name ?? '');
  const wanted = kept.map(({ named }) => named);
  expectColumns(request, names, wanted);
  return wanted.map((name) => names.indexOf(name));
}
