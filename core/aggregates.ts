import { durationMs } from './duration.ts';
import { MlError } from './errors.ts';
import type { ModelSpec } from './model-spec.ts';
import type { Request } from './task.ts';

/** What is made of the rows in a window, as a spec writes it: only what can be kept by adding a row that comes and taking off one that leaves. */
export type AggregateExpression<Column extends string = string> = 'count(*)' | `sum(${Column})` | `avg(${Column})`;

/** The same, parsed. A mean is of the rows that have a value; a sum or mean of nothing is 0. */
export type Aggregate = { readonly of: 'count' } | { readonly of: 'sum' | 'mean'; readonly column: string };

/** One number that is known of a key at a time. */
export interface WindowedFeature {
  /** `customer_mean_7d` */
  readonly name: string;
  readonly overMs: number;
  readonly make: Aggregate;
}

/**
 * Windows over the rows of one source that have the same value of one column: what SQL makes for all rows at once, and a server keeps for each key.
 *
 * A window of a row at time `t` (whole milliseconds) holds rows of (t − delay − over, t − delay]. Rows of one time are in the order of their keys, whole
 * numbers by value, and a row sees those before it and, without a delay, itself: exactly what somebody knows who is asked about each row before it
 * is added. A row that has no value in `by` sees nothing and is seen by none.
 */
export interface AggregateGroup {
  readonly name: string;
  readonly source: string;
  readonly by: string;
  readonly time: string;
  readonly delayMs: number;
  readonly features: readonly WindowedFeature[];
}

const expression = /^(count|sum|avg)\(\s*(\*|[A-Za-z_][A-Za-z0-9_]*)\s*\)$/;

/** @throws {MlError} `SpecInvalid` for all but `count(*)`, `sum(column)` and `avg(column)`. */
export function parseAggregate(text: string): Aggregate {
  const [, name, column] = expression.exec(text) ?? [];
  if (name === undefined || column === undefined || (name === 'count') !== (column === '*')) {
    throw new MlError('SpecInvalid', `"${text}" is no aggregate: write count(*), sum(column) or avg(column)`, { expression: text });
  }
  return name === 'count' ? { of: 'count' } : { of: name === 'sum' ? 'sum' : 'mean', column };
}

/** All windowed features that a spec declares, in its order. */
export function aggregateGroups({ aggregates = {}, sources }: Pick<ModelSpec, 'aggregates' | 'sources'>): readonly AggregateGroup[] {
  return Object.entries(aggregates).map(([name, { from, by, over, delay, make }]) => {
    const time = sources[from]?.time;
    if (time === undefined) throw new MlError('SpecInvalid', `aggregates.${name} is of "${from}", which is no source with a time`, { from });
    const features = over.flatMap((span) =>
      Object.entries(make).map(([made, text]) => ({ name: `${name}_${made}_${span}`, overMs: durationMs(span), make: parseAggregate(text) })),
    );
    return { name, source: from, by, time, delayMs: delay === undefined ? 0 : durationMs(delay), features };
  });
}

/** What a model takes: what a caller sends, and the features that are found by its keys. */
export function modelInputs(spec: Pick<ModelSpec, 'aggregates' | 'sources' | 'request'>): Request {
  const features = aggregateGroups(spec).flatMap((group) => group.features);
  return { ...spec.request, ...Object.fromEntries(features.map(({ name }) => [name, 'number' as const])) };
}
