import type { AskedRow } from '../../core/features/known-features.ts';
import type { KeptRow, KeptShape } from '../../core/features/kept-rows.ts';
import { keyText } from '../../core/features/key-order.ts';
import type { ColumnKind, SourceSpec } from '../../core/model-spec.ts';
import { nearest } from '../../core/nearest.ts';
import { instantOf, integerOf, invalidRow, numberOf } from '../request-values.ts';
import type { RequestRow } from '../served-model.ts';

/** Reads rows of a source as callers write them. Numbers of rows count from 0. */
export interface RowReader {
  /** @throws {MlError} `RequestInvalid` */
  pushed(row: RequestRow, number: number): KeptRow;
  /** @throws {MlError} `RequestInvalid` */
  asked(row: RequestRow, number: number): AskedRow;
}

export function rowReader({ key, time, columns }: SourceSpec, { source, tables }: KeptShape): RowReader {
  const kinds = new Map(Object.entries(columns).map(([name, column]) => [name, typeof column === 'string' ? column : column.kind]));
  const added = tables.flatMap((table) => table.columns);

  const place = (row: RequestRow, number: number): Pick<KeptRow, 'timeMs' | 'by' | 'values'> => ({
    timeMs: timeOf(row, time!, number),
    by: tables.map(({ by }) => wordOf(row, by, number)),
    values: added.map((name) => valueOf(row, name, kinds.get(name)!, number)),
  });
  const partsOfKey = (row: RequestRow, number: number): readonly (string | null)[] => key.map((name) => wordOf(row, name, number));

  return {
    pushed(row, number) {
      const unknown = Object.keys(row).find((name) => !kinds.has(name));
      if (unknown !== undefined) {
        const guess = nearest(unknown, [...kinds.keys()]);
        throw invalidRow(
          number,
          `"${source}" has no column "${unknown}"${guess === undefined ? `; it has ${[...kinds.keys()].join(', ')}` : `: did you mean "${guess}"?`}`,
        );
      }
      const parts = partsOfKey(row, number);
      const lost = parts.indexOf(null);
      if (lost >= 0) throw invalidRow(number, `"${key[lost]}" is missing: a row is known by its key`);
      return { key: keyText(parts as readonly string[]), ...place(row, number) };
    },
    asked(row, number) {
      const parts = partsOfKey(row, number);
      return { ...(!parts.includes(null) && { key: keyText(parts as readonly string[]) }), ...place(row, number) };
    },
  };
}

function timeOf(row: RequestRow, name: string, number: number): number {
  const found = instantOf(row[name] ?? '');
  if (found === undefined) {
    throw invalidRow(number, `"${name}" is ${writtenOf(row[name])}: windows are placed by it, so give an instant such as "2026-03-29T18:30:00Z"`);
  }
  return Number(found);
}

/** A key or category. One that is empty is missing, as it is in sources. */
function wordOf(row: RequestRow, name: string, number: number): string | null {
  const value = row[name] ?? null;
  if (value === null || value === '') return null;
  if (typeof value === 'string') return value;
  if (integerOf(value) === undefined) throw invalidRow(number, `"${name}" is ${writtenOf(value)}: give text or a whole number`);
  return String(value);
}

function valueOf(row: RequestRow, name: string, kind: ColumnKind, number: number): number {
  const value = row[name] ?? null;
  if (value === null) return Number.NaN;
  const found = kind === 'flag' ? (typeof value === 'boolean' ? Number(value) : undefined) : kind === 'integer' ? integerOf(value) : numberOf(value);
  if (found !== undefined) return Number(found);
  throw invalidRow(
    number,
    `"${name}" is ${writtenOf(value)}: give ${kind === 'flag' ? 'true or false' : kind === 'integer' ? 'a whole number' : 'a number'}`,
  );
}

const writtenOf = (value: RequestRow[string] | undefined): string => (value === undefined || value === null ? 'missing' : JSON.stringify(value));
