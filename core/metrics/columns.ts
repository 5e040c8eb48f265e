import type { Measure, Metric } from '../task.ts';

/** One number per unit. */
export type Values = ArrayLike<number>;

/** The metric that `measure` makes of these columns of the marks, in this order. */
export const ofColumns = (
  title: string,
  better: Metric['better'],
  columns: readonly string[],
  measure: (...columns: readonly Values[]) => Measure,
  undefinedWhen?: string,
): Metric => ({
  title,
  better,
  ...(undefinedWhen !== undefined && { undefinedWhen }),
  // A model that says nothing of it, as a baseline of intervals, has no such number.
  of: ({ columns: given }) => (columns.every((name) => name in given) ? measure(...columns.map((name) => given[name]!)) : () => Number.NaN),
});

/** The metric that is the mean of a column of the marks. */
export const meanOf = (title: string, column: string, better: Metric['better'] = 'higher'): Metric => ofColumns(title, better, [column], mean);

/** The metric that is the sum of one column over the sum of another; 0 where the latter is 0. */
export const ratioOf = (title: string, numerator: string, denominator: string, better: Metric['better'] = 'higher'): Metric =>
  ofColumns(title, better, [numerator, denominator], ratio);

/** The mean, NaN of nobody. In the unit of `values`. */
export function mean(values: Values): Measure {
  const own = Float64Array.from(values);
  return (times = once(own.length)) => {
    let [sum, count] = [0, 0];
    for (let at = 0; at < own.length; at++) {
      const weight = times[at]!;
      sum += weight * own[at]!;
      count += weight;
    }
    return sum / count;
  };
}

function ratio(numerator: Values, denominator: Values): Measure {
  const [above, below] = [mean(numerator), mean(denominator)];
  return (times) => {
    const divisor = below(times);
    return divisor === 0 ? 0 : above(times) / divisor;
  };
}

/** Each of so many units, once. */
export const once = (units: number): Int32Array => new Int32Array(units).fill(1);
