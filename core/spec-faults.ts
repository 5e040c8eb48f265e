import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { fields } from './spec-shape.ts';

/** One thing that is wrong with a spec. */
export interface SpecFault {
  /** `split.test`, `train[0].try.l2`; empty for the spec itself. */
  readonly path: string;
  readonly message: string;
}

/** Turns an issue of zod's into faults with paths of the whole spec, naming what was probably meant. */
export function faultsOf(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[], json: unknown): readonly SpecFault[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathText([...path, key]), message: `unknown field "${key}"${hintFor(key, path)}` }));
  }
  if (issue.code === 'invalid_union') {
    // The alternative that was meant is of the value's type; of several, the one that got furthest.
    const meant = issue.errors.filter((alternative) => !alternative.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0));
    const [best] = meant.toSorted((a, b) => deepest(b) - deepest(a) || a.length - b.length);
    if (best) return best.flatMap((inner) => faultsOf(inner, path, json));
    const value = valueAt(json, path);
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    return [
      { path: pathText(path), message: `${describe(value)} is not allowed here${options.length === 0 ? '' : choices(String(value), options)}` },
    ];
  }
  if (issue.code === 'invalid_value') {
    const value = valueAt(json, path);
    return [
      {
        path: pathText(path),
        message: `${describe(value)} is not one of ${issue.values.map(String).join(', ')}${did(String(value), issue.values.map(String))}`,
      },
    ];
  }
  if (issue.code === 'invalid_type') {
    const value = valueAt(json, path);
    return [
      {
        path: pathText(path),
        message: value === undefined ? `is missing: write a ${issue.expected}` : `${describe(value)} is not a ${issue.expected}`,
      },
    ];
  }
  return [{ path: pathText(path), message: issue.message }];
}

const deepest = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));

function hintFor(key: string, path: readonly PropertyKey[]): string {
  const generic = path.map((segment, i) =>
    typeof segment === 'number' || (i === 1 && (path[0] === 'sources' || path[0] === 'aggregates')) || (i === 3 && path[2] === 'columns')
      ? '*'
      : String(segment),
  );
  const known = fields[generic.join('.')];
  return known ? choices(key, known) : '';
}

const did = (word: string, known: readonly string[]): string => {
  const hint = nearest(word, known);
  return hint === undefined ? '' : `; did you mean "${hint}"?`;
};

export const choices = (word: string, known: readonly string[]): string => {
  const hint = nearest(word, known);
  if (hint !== undefined) return `; did you mean "${hint}"?`;
  return known.length === 0 ? '' : ` (there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')})`;
};

export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, segment) => (typeof segment === 'number' ? `${text}[${segment}]` : text === '' ? String(segment) : `${text}.${String(segment)}`),
    '',
  );

const valueAt = (json: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, segment) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[segment] : undefined),
    json,
  );

const describe = (value: unknown): string => {
  const text = asText(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** A spec is written in code, too, which may hold what JSON does not know. */
function asText(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (value instanceof Date) return 'a date';
  if (typeof value !== 'object') return typeof value === 'string' ? JSON.stringify(value) : String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return 'an object that holds itself, or an integer that JSON does not know,';
  }
}
