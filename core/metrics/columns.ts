import type { Marks, Metric } from '../task.ts';

/** The metric that is the mean of a column of the marks. */
export const meanOf = (title: string, column: string, better: Metric['better'] = 'higher'): Metric => ({
  title,
  better,
  of: (marks, sample) => sum(marks, column, sample) / (sample ?? marks.units).length,
});

/** The metric that is the sum of one column over the sum of another; 0 where the latter is 0. */
export const ratioOf = (title: string, numerator: string, denominator: string, better: Metric['better'] = 'higher'): Metric => ({
  title,
  better,
  of: (marks, sample) => {
    const below = sum(marks, denominator, sample);
    return below === 0 ? 0 : sum(marks, numerator, sample) / below;
  },
});

function sum(marks: Marks, column: string, sample?: Int32Array): number {
  const values = marks.columns[column]!;
  let total = 0;
  if (sample) for (let at = 0; at < sample.length; at++) total += values[sample[at]!]!;
  else for (let at = 0; at < values.length; at++) total += values[at]!;
  return total;
}
