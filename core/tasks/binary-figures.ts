import type { Figure } from '../figure.ts';
import { rounded } from '../figure.ts';
import { calibrationCurve, callsByShare, precisionRecallCurve, rocCurve, scoreHistogram, shareInterval } from '../metrics/curves.ts';
import { confusionMatrix } from '../metrics/multiclass.ts';
import type { Marks } from '../task.ts';
import { rowsBySlice } from './slice-figures.ts';

/** Shares of the rows that somebody may have time to look at. */
const lookedAt = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** How well probabilities rank rows, how true they are, and what a threshold makes of them. */
export function binaryFigures(contenders: Readonly<Record<string, Marks>>): readonly Figure[] {
  const challenger = contenders['challenger']!;
  const { label, probability } = asked(challenger);
  const positives = label.reduce((sum, value) => sum + value, 0);
  // Of one class alone nothing can be told apart.
  if (positives === 0 || positives === label.length) return [];
  // Who gives every row the same probability draws the lines of chance once more.
  const telling = Object.entries(contenders).filter(([, marks]) => new Set(asked(marks).probability).size > 1);
  const curves = <Point>(
    curve: (label: readonly number[], score: readonly number[]) => readonly Point[],
    point: (of: Point) => readonly [number, number],
  ) => Object.fromEntries(telling.map(([name, marks]) => [name, curve(asked(marks).label, asked(marks).probability).map((of) => pair(point(of)))]));
  const base = positives / label.length;
  const inOffice = Object.entries(contenders).filter(([name]) => name === 'challenger' || name === 'champion');
  const { uncalibrated, positive: called } = challenger.columns;
  return [
    {
      kind: 'curves',
      name: 'roc',
      title: 'ROC curve',
      caption:
        'The share of positive rows that a threshold finds, by the share of negative rows that it calls positive by mistake. The dashed line is chance.',
      x: 'false positive rate',
      y: 'true positive rate',
      reference: 'diagonal',
      series: curves(rocCurve, ({ falsePositiveRate, truePositiveRate }) => [falsePositiveRate, truePositiveRate]),
    },
    {
      kind: 'curves',
      name: 'precision-recall',
      title: 'Precision and recall',
      caption: `How many of the rows that are called positive are, by the share of positive rows that are found. The dashed line is chance: ${percent(base)} of the rows are positive.`,
      x: 'recall',
      y: 'precision',
      reference: { y: rounded(base) },
      series: curves(precisionRecallCurve, ({ recall, precision }) => [recall, precision]),
    },
    {
      kind: 'curves',
      name: 'calibration',
      title: 'Reliability',
      caption:
        'In each bin of equally many rows, the share that is positive by the probability that was given, with its interval at 95 %. On the dashed line probabilities are met.',
      x: 'mean probability',
      y: 'share of positive rows',
      reference: 'diagonal',
      marked: true,
      series: {
        ...Object.fromEntries(inOffice.map(([name, marks]) => [name, reliability(label, asked(marks).probability)])),
        ...(uncalibrated && { 'before calibration': reliability(label, uncalibrated) }),
      },
    },
    {
      kind: 'bars',
      name: 'scores',
      title: 'Probabilities',
      caption: 'How the challenger’s probabilities are spread over the rows of either class: the less they overlap, the better it tells them apart.',
      x: 'probability',
      y: 'share of the class',
      series: Object.fromEntries(
        (['negative', 'positive'] as const).map((own) => [
          own,
          scoreHistogram(label, probability).map(({ from, to, [own]: share }) => [rounded(from), rounded(to), rounded(share)] as const),
        ]),
      ),
    },
    {
      kind: 'ranges',
      name: 'calibration-by-slice',
      title: 'Calibration by slice',
      caption:
        'The share of positive rows in each slice with its interval at 95 %, and the mean probability that the challenger gave them: apart, it is wrong about the slice as a whole.',
      x: 'share of positive rows',
      legend: ['positive', 'mean probability'],
      rows: rowsBySlice(challenger, (rows) => {
        const value = mean(rows, label);
        const [low, high] = shareInterval(value, rows.length);
        return { value, low, high, mark: mean(rows, probability) };
      }),
    },
    ...(called ? [calls(label, called)] : []),
    {
      kind: 'listing',
      name: 'thresholds',
      title: 'Thresholds',
      caption: 'What comes of calling the rows with the highest probabilities positive, for some shares of all rows.',
      head: ['rows called positive', 'probability from', 'precision', 'recall', 'false positive rate'],
      rows: callsByShare(label, probability, lookedAt).map(({ threshold, called, precision, recall, falsePositiveRate }) => [
        `${called} (${percent(called / label.length)})`,
        rounded(threshold),
        percent(precision),
        percent(recall),
        percent(falsePositiveRate),
      ]),
    },
  ];
}

const reliability = (label: readonly number[], probability: readonly number[]) =>
  calibrationCurve(label, probability).map(({ predicted, observed, rows }) => {
    const [low, high] = shareInterval(observed, rows);
    return [rounded(predicted), rounded(observed), rounded(low), rounded(high)] as const;
  });

/** Where the spec has a threshold chosen: what comes of it. */
const calls = (label: readonly number[], called: readonly number[]): Figure => ({
  kind: 'matrix',
  name: 'calls',
  title: 'Calls at the chosen threshold',
  caption:
    'Rows of either class (down) by what the challenger calls them (across), from the probability on that would have cost least on the validation rows: counts, dark by their share of the class.',
  x: 'called',
  y: 'class',
  names: ['negative', 'positive'],
  counts: confusionMatrix(label, called, 2),
});

const asked = ({ columns }: Marks) => ({ label: columns['label']!, probability: columns['probability']! });

const pair = ([x, y]: readonly [number, number]): readonly [number, number] => [rounded(x), rounded(y)];

const mean = (rows: readonly number[], values: readonly number[]): number => rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length;
