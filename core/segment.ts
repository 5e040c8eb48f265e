import { MlError } from './errors.ts';
import type { ModelSpec } from './model-spec.ts';
import { literal, quoted } from './sql.ts';

/** The segment of all rows: it always exists, and is the fallback of the others. */
export const allRows = 'all';

/** `segments.by` taken apart: a column, or the month of one. */
export interface SegmentBy {
  readonly column: string;
  readonly function: 'month-of-year' | 'value';
  /** What stands before `=` in a label. */
  readonly name: string;
}

const monthOfYear = /^month-of-year\(([A-Za-z_][A-Za-z0-9_]*)\)$/;
const plainColumn = /^[A-Za-z_][A-Za-z0-9_]*$/;
const labelForm = /^[a-z0-9][a-z0-9._-]*=[a-z0-9][a-z0-9._-]*$/;

/** @throws {MlError} `SpecInvalid` */
export function parseSegmentBy(by: string): SegmentBy {
  const month = monthOfYear.exec(by)?.[1];
  if (month !== undefined) return { column: month, function: 'month-of-year', name: 'month' };
  if (plainColumn.test(by)) return { column: by, function: 'value', name: by.toLowerCase() };
  throw new MlError('SpecInvalid', `segments.by is "${by}": write a column, or month-of-year(column)`, { by });
}

/**
 * The label of one value: `month=10`, `city=indo`; `all` without a value. It is part of keys and workflow ids, so lower-case, and whatever they
 * do not allow becomes `-`.
 */
export function segmentLabel(by: string, value?: string | number): string {
  if (value === undefined) return allRows;
  const safe = (text: string) =>
    text
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '');
  const label = `${safe(parseSegmentBy(by).name)}=${safe(String(value))}`;
  if (labelForm.test(label)) return label;
  throw new MlError('SpecInvalid', `"${value}" of ${by} cannot name a segment: it has no letter a-z or digit`, { by, value });
}

/** The segments that a spec names, that of all rows first. */
export const segmentsOf = ({ segments }: Pick<ModelSpec, 'segments'>): readonly string[] => [
  allRows,
  ...(segments === undefined ? [] : segments.only.map((value) => segmentLabel(segments.by, value))),
];

/** The SQL expression that gives a row's value of `segments.by`. */
export function segmentExpression(by: string): string {
  const { column, function: kind } = parseSegmentBy(by);
  return kind === 'month-of-year' ? `CAST(month(${quoted(column)}) AS VARCHAR)` : `CAST(${quoted(column)} AS VARCHAR)`;
}

/**
 * The SQL condition that holds for the rows of a segment. It compares labels, not values: two spellings that share a label share a segment.
 *
 * @throws {MlError} `SpecInvalid` if the label is not one of `by`.
 */
export function segmentPredicate(by: string | undefined, label: string): string {
  if (label === allRows) return 'true';
  if (by === undefined) throw new MlError('SpecInvalid', `segment "${label}" is asked for, but the spec has no "segments"`, { label });
  const prefix = `${segmentLabel(by, 'x').slice(0, -1)}`;
  if (!label.startsWith(prefix) || !labelForm.test(label)) {
    throw new MlError('SpecInvalid', `segment "${label}" is not one of ${by}: labels look like ${prefix}…, or ${allRows}`, { label, by });
  }
  const safe = `regexp_replace(regexp_replace(lower(trim(${segmentExpression(by)})), '[^a-z0-9._-]+', '-', 'g'), '^[^a-z0-9]+', '')`;
  return `${safe} = ${literal(label.slice(prefix.length))}`;
}
