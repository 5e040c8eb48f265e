import type { InputKind } from '../core/encoding.ts';
import { missingInteger } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import type { RawColumn } from '../core/examples.ts';
import type { RequestRow } from './served-model.ts';

export type Value = NonNullable<RequestRow[string]>;

/** `row` counts from 0, as an array does. */
export const invalidRow = (row: number, what: string): MlError => new MlError('RequestInvalid', `row ${row}: ${what}`, { row });

/** Features are float32: what is larger would be infinite to the model. */
const largest = 3.4028234663852886e38;

/**
 * An input of rows as a model takes it, as it was of the rows that it was trained on. `from` is the number of the first row.
 *
 * @throws {MlError} `RequestInvalid` for what is no value of its kind, and for a flag that is missing: no flag of the training rows was.
 */
export function columnOf(kind: InputKind, name: string, rows: readonly RequestRow[], from = 0): RawColumn {
  const read = <T>(as: (value: Value) => T | undefined, missing: T | undefined, wanted: string): T[] =>
    rows.map((row, at) => {
      const value = row[name] ?? undefined;
      const found = value === undefined ? missing : as(value);
      if (found !== undefined) return found;
      throw invalidRow(from + at, `"${name}" is ${value === undefined ? 'missing' : JSON.stringify(value)}: give ${wanted}`);
    });
  switch (kind) {
    case 'number':
      return { kind, values: Float64Array.from(read(numberOf, Number.NaN, `a number of at most ${largest.toPrecision(3)}`)) };
    case 'integer':
      return { kind, values: BigInt64Array.from(read(integerOf, missingInteger, 'a whole number')) };
    case 'time':
      return { kind, values: BigInt64Array.from(read(instantOf, missingInteger, 'an instant such as "2026-03-29T18:30:00Z"')) };
    case 'flag':
      return { kind, values: Uint8Array.from(read((value) => (typeof value === 'boolean' ? Number(value) : undefined), undefined, 'true or false')) };
    case 'category':
    case 'text':
      return { kind, values: read((value) => (typeof value === 'string' ? value : undefined), '', 'text') };
  }
}

export const numberOf = (value: Value): number | undefined => (typeof value === 'number' && Math.abs(value) <= largest ? value : undefined);

export const integerOf = (value: Value): bigint | undefined => (typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined);

const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Milliseconds since 1970. Without a zone it is UTC, as it is in sources, wherever the server runs. */
export function instantOf(value: Value): bigint | undefined {
  const found = typeof value === 'string' ? iso.exec(value) : null;
  if (found === null) return undefined;
  const [text, time, , , zone] = found;
  // To `Date`, February 30 is March 2.
  if (new Date(Date.parse(text.slice(0, 10))).getUTCDate() !== Number(text.slice(8, 10))) return undefined;
  const ms = Date.parse(time !== undefined && zone === undefined ? `${text}Z` : text);
  return Number.isNaN(ms) ? undefined : BigInt(ms);
}
