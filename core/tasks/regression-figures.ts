import type { Figure } from '../figure.ts';
import { rounded } from '../figure.ts';
import { errorPercentiles, residualHistogram, residualsByPrediction, shareInterval } from '../metrics/curves.ts';
import type { Marks } from '../task.ts';
import { rowsBySlice } from './slice-figures.ts';

/** How large errors are, where they lie along the prediction, and in which slices they lean to one side. */
export function regressionFigures(contenders: Readonly<Record<string, Marks>>): readonly Figure[] {
  const challenger = contenders['challenger']!;
  const { label, prediction } = asked(challenger);
  const { lower, upper } = challenger.columns;
  const residuals = label.map((value, at) => value - prediction[at]!);
  return [
    {
      kind: 'curves',
      name: 'errors',
      title: 'Sizes of errors',
      caption:
        'In which share of the rows the error is at most so large: the further to the left and above, the better. The largest hundredth of each contender is left out.',
      x: 'size of the error',
      y: 'share of rows',
      series: Object.fromEntries(
        Object.entries(contenders).map(([name, marks]) => [
          name,
          errorPercentiles(asked(marks).label, asked(marks).prediction).map((error, percent) => [rounded(error), percent / 100] as const),
        ]),
      ),
    },
    {
      kind: 'bars',
      name: 'residual-histogram',
      title: 'Residuals',
      caption:
        'How far labels lie above what the challenger predicted (to the right) or below. The hundredth of the rows with the largest errors is left out.',
      x: 'label − prediction',
      y: 'share of rows',
      series: {
        challenger: residualHistogram(label, prediction).map(({ from, to, share }) => [rounded(from), rounded(to), rounded(share)] as const),
      },
    },
    {
      kind: 'bands',
      name: 'residuals',
      title: 'Residuals along the prediction',
      caption:
        'How far labels lie above (below zero: under) what the challenger predicted, for rows of about that prediction: the middle, half of the rows in the dark band, nine in ten in the light one. Away from the dashed line it errs to one side.',
      x: 'prediction',
      y: 'label − prediction',
      points: residualsByPrediction(label, prediction).map(
        ({ predicted, p05, p25, p50, p75, p95 }) =>
          [rounded(predicted), rounded(p05), rounded(p25), rounded(p50), rounded(p75), rounded(p95)] as const,
      ),
    },
    {
      kind: 'ranges',
      name: 'bias-by-slice',
      title: 'Bias by slice',
      caption:
        'How far the labels of a slice lie above the challenger’s predictions on average, with the interval of the mean at 95 %. An interval beside the stroke at zero is an error of the slice as a whole.',
      x: 'mean of label − prediction',
      legend: ['mean residual', 'none'],
      rows: rowsBySlice(challenger, (rows) => ({ ...meanInterval(rows.map((row) => residuals[row]!)), mark: 0 })),
    },
    ...(lower && upper ? [coverage(challenger, lower, upper)] : []),
  ];
}

/** Where the spec asks for bounds: whether each slice is as safe within them as all rows. */
function coverage(challenger: Marks, lower: readonly number[], upper: readonly number[]): Figure {
  const { label } = asked(challenger);
  const within = label.map((value, at) => Number(lower[at]! <= value && value <= upper[at]!));
  const share = (rows: readonly number[]): number => rows.reduce((sum, row) => sum + within[row]!, 0) / rows.length;
  const all = share(label.map((_, at) => at));
  return {
    kind: 'ranges',
    name: 'coverage-by-slice',
    title: 'Coverage of the bounds by slice',
    caption:
      'The share of labels within the challenger’s bounds in each slice, with its interval at 95 %, and that of all rows. A slice to the left of it is promised more than it gets.',
    x: 'share of labels within their bounds',
    legend: ['of the slice', 'of all rows'],
    rows: rowsBySlice(challenger, (rows) => {
      const value = share(rows);
      const [low, high] = shareInterval(value, rows.length);
      return { value, low, high, mark: all };
    }),
  };
}

const asked = ({ columns }: Marks) => ({ label: columns['label']!, prediction: columns['prediction']! });

/** The mean with its normal interval at 95 %. */
function meanInterval(values: readonly number[]): { readonly value: number; readonly low: number; readonly high: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = values.length > 1 ? 1.959964 * Math.sqrt(squares / (values.length - 1) / values.length) : 0;
  return { value: mean, low: mean - half, high: mean + half };
}
