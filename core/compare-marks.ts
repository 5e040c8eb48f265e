import { bootstrap } from './bootstrap.ts';
import type { BootstrapOptions } from './bootstrap.ts';
import { clustersOf, pool } from './evaluate.ts';
import type { Estimate } from './evaluation.ts';
import type { Marks, Metric } from './task.ts';

export interface MarksPair {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly folds: readonly string[];
  readonly confidence: number;
  /** One per fold, of either version. */
  readonly sides: readonly [readonly Marks[], readonly Marks[]];
}

/** Whether two sat the same exam: the same units in the same order, in each fold. */
export const satTogether = ([a, b]: MarksPair['sides']): boolean =>
  a.length === b.length && a.every(({ units }, fold) => units.join('\n') === b[fold]!.units.join('\n'));

/**
 * What the second gains over the first in each metric, signed so that above zero is better, with the bootstrap interval of the difference unit by
 * unit. What is undefined for these units, or for either, is left out.
 */
export async function gainsBetween(
  { metrics, folds, confidence, sides }: MarksPair,
  progress?: BootstrapOptions['progress'],
): Promise<Readonly<Record<string, Estimate>>> {
  const [first, second] = sides.map((marks) => pool(marks, folds)) as [Marks, Marks];
  const resampled = Object.entries(metrics).filter(([, { whole }]) => !whole);
  const pairs = resampled.map(([, metric]) => ({ better: metric.better, before: metric.of(first), after: metric.of(second) }));
  const measure = (times?: Int32Array): readonly number[] =>
    pairs.map(({ better, before, after }) => (better === 'higher' ? 1 : -1) * (after(times) - before(times)));
  const estimates = await bootstrap(measure, { clusters: clustersOf(sides[1], folds), confidence, ...(progress && { progress }) });
  return Object.fromEntries(resampled.flatMap(([name], at) => (Number.isNaN(estimates[at]!.value) ? [] : [[name, estimates[at]!] as const])));
}
