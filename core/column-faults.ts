import { inputOf } from './encoding.ts';
import { parseSegmentBy } from './segment.ts';
import { choices } from './spec-faults.ts';
import type { SpecFault } from './spec-faults.ts';
import type { SpecShape } from './spec-shape.ts';

/** Of a target, the fields that name columns. */
const ofTarget = ['column', 'user', 'item', 'value'] as const;

/**
 * Whether the columns that a spec names are declared, in a source or in `rows.columns`: what `defineModel` asks of code is asked of JSON, too, before
 * anything is read. Whether `rows.sql` gives them is seen when it runs.
 */
export function columnFaults({
  sources,
  aggregates,
  rows,
  request = {},
  slices = [],
  target,
  split,
  segments,
  gate,
}: SpecShape): readonly SpecFault[] {
  const known = [...new Set([...Object.values(sources).flatMap(({ columns }) => Object.keys(columns)), ...Object.keys(rows.columns ?? {})])];
  const named: [path: string, column: string | undefined][] = [
    ...rows.key.map((column, i): [string, string] => [`rows.key[${i}]`, column]),
    ['rows.time', rows.time],
    ['rows.group', rows.group],
    ...Object.keys(request).map((column): [string, string] => [`request.${column}`, column]),
    ...slices.map((column, i): [string, string] => [`slices[${i}]`, column]),
    ...ofTarget.map((field): [string, string | undefined] => [`target.${field}`, memberOf(target, field)]),
    ['split.column', 'column' in split ? split.column : undefined],
    ['segments.by', segments && parseSegmentBy(segments.by).column],
  ];
  const faults = named.flatMap(([path, column]) =>
    column === undefined || known.includes(column)
      ? []
      : [{ path, message: `there is no column "${column}"${choices(column, known)}: what rows.sql computes is declared in rows.columns` }],
  );
  const inputs = Object.keys(request);
  for (const feature of Object.keys(gate?.trusted?.features ?? {})) {
    const input = inputOf(feature);
    if (inputs.includes(input) || Object.keys(aggregates ?? {}).some((name) => input.startsWith(`${name}_`))) continue;
    faults.push({ path: `gate.trusted.features.${feature}`, message: `there is no input "${input}" to trust${choices(input, inputs)}` });
  }
  return faults;
}

const memberOf = (value: unknown, field: string): string | undefined => {
  const member: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return typeof member === 'string' ? member : undefined;
};
