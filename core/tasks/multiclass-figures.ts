import type { Figure } from '../figure.ts';
import { rounded } from '../figure.ts';
import { calibrationCurve, shareInterval } from '../metrics/curves.ts';
import { confusionMatrix } from '../metrics/multiclass.ts';
import type { Marks } from '../task.ts';

/** A matrix stays readable with so many classes: the most frequent. */
const mostClasses = 20;

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${Number((100 * share).toPrecision(3))} %`);

/** Which classes are taken for which others, how each does, and how far a model may be believed. */
export function multiclassFigures(contenders: Readonly<Record<string, Marks>>): readonly Figure[] {
  const challenger = contenders['challenger']!;
  const label = challenger.columns['label']!;
  const counts = confusionMatrix(label, challenger.columns['prediction']!, classesOf(challenger).length);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const classes = classesOf(challenger)
    .map((name, at) => ({ name, at, rows: sum(counts[at]!), predicted: sum(counts.map((row) => row[at]!)), hits: counts[at]![at]! }))
    .filter(({ rows, predicted }) => rows + predicted > 0)
    .toSorted((a, b) => b.rows - a.rows || a.at - b.at);
  const shown = classes.slice(0, mostClasses).toSorted((a, b) => a.at - b.at);
  return [
    {
      kind: 'matrix',
      name: 'confusion',
      title: 'Confusion',
      caption: `Rows of each class (down) by what the challenger took them for (across): counts, dark by their share of the class.${shown.length < classes.length ? ` The ${mostClasses} most frequent of ${classes.length} classes.` : ''}`,
      x: 'predicted class',
      y: 'class',
      names: shown.map(({ name }) => name),
      counts: shown.map((row) => shown.map((column) => counts[row.at]![column.at]!)),
    },
    {
      kind: 'curves',
      name: 'confidence',
      title: 'Reliability',
      caption:
        'In each bin of equally many rows, how often the most probable class was right by the probability that it was given, with its interval at 95 %. On the dashed line probabilities are met.',
      x: 'mean probability of the predicted class',
      y: 'share of rows predicted right',
      reference: 'diagonal',
      marked: true,
      series: Object.fromEntries(
        Object.entries(contenders)
          .filter(([name]) => name === 'challenger' || name === 'champion')
          .map(([name, marks]) => [name, confidenceOf(marks)]),
      ),
    },
    {
      kind: 'listing',
      name: 'classes',
      title: 'Classes',
      caption: 'How the challenger does for each class, the most frequent first.',
      head: ['class', 'rows', 'predicted', 'precision', 'recall', 'F1'],
      rows: classes
        .slice(0, mostClasses)
        .map(({ name, rows, predicted, hits }) => [
          name,
          rows,
          predicted,
          percent(hits / predicted),
          percent(hits / rows),
          percent((2 * hits) / (rows + predicted)),
        ]),
    },
  ];
}

/** The names of the classes, as the model was fitted; rows of one that came later have a number of their own, behind them. */
function classesOf({ facts, columns }: Marks): readonly string[] {
  const known = facts['classes'] as readonly string[];
  const isLater = columns['label']!.some((label) => label >= known.length);
  return isLater ? [...known, 'a later class'] : known;
}

function confidenceOf({ columns, answers }: Marks): readonly (readonly [number, number, number, number])[] {
  const [label, prediction] = [columns['label']!, columns['prediction']!];
  const right = label.map((value, at) => Number(value === prediction[at]));
  const confidence = (answers as readonly (readonly number[])[]).map((probabilities) => Math.max(...probabilities));
  return calibrationCurve(right, confidence).map(({ predicted, observed, rows }) => {
    const [low, high] = shareInterval(observed, rows);
    return [rounded(predicted), rounded(observed), rounded(low), rounded(high)] as const;
  });
}
