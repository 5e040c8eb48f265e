import { z } from 'zod';
import { codesOf } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import type { Examples } from '../core/examples.ts';
import { random } from '../core/random.ts';
import type { Trainer } from '../core/trainer.ts';
import { float32, float64, int64, node } from '../onnx/writer.ts';
import { progressOf } from './progress.ts';
import { needRows, tableModel, tableTasks, taskOf } from './table-graph.ts';
import type { TableTask } from './table-graph.ts';

export type OneFeatureParameters = Readonly<Record<never, never>>;

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    'one-feature': OneFeatureParameters;
  }
}

/** A numeric feature is cut at so many quantiles at most, less one. */
const mostBins = 32;

/** Quantiles are those of about so many rows: of every tenth of a million. */
const rowsForEdges = 100_000;

/** Each bin's mean is drawn towards the mean of all as if so many more rows were in it. */
const smoothing = 10;

/** A feature is judged on the rows of each fold by what the other folds say, or one with many levels would always win. */
const folds = 5;

/**
 * The best single feature, which a sceptic asks for first: each feature is a small table from its bins to mean labels, and the one with the least
 * log loss (squared error of a regression) on rows that its table was not made of is the model.
 */
export const oneFeature: Trainer<TableTask, OneFeatureParameters> = {
  name: 'one-feature',
  tasks: tableTasks,
  parameters: z.strictObject({}),
  async fit(rows, _parameters, context) {
    needRows(rows);
    const labels = labelsOf(rows);
    // Drawn, not counted off: rows are ordered by time.
    const draw = random(`${context.seed} folds`);
    const foldOf = Uint8Array.from(rows.labels, () => draw.below(folds));
    const breathe = progressOf(context);
    let best: { readonly at: number; readonly binning: Binning; readonly tally: Float64Array; readonly loss: number } | undefined;
    for (let at = 0; at < rows.features.length; at++) {
      const binning = binningOf(rows, at);
      const tally = tallyOf(rows.features[at]!, binning, labels, foldOf);
      const loss = outOfFoldLoss(tally, labels);
      if (best === undefined || loss < best.loss) best = { at, binning, tally, loss };
      await breathe((at + 1) / rows.features.length);
    }
    if (best === undefined) throw new MlError('TrainingFailed', 'there are 0 features: give the model an input');
    const { at, binning, tally, loss } = best;
    const onnx = graph(rows, at, binning, answersOf(meansOf(tally, labels), labels));
    const feature = rows.encoding.features[at]!.name;
    const measure = labels.task === 'regression' ? 'squared error' : 'log loss';
    const summary = `${feature} alone, ${measure} ${Number(loss.toPrecision(4))} out of fold`;
    return { onnx, chosen: {}, facts: { rows: rows.labels.length, feature, bins: binning.missing, loss, summary } };
  },
};

/** Labels as numbers that can be added up: of a regression the distance to the mean, of classes 1 in the column of its class. */
interface Labels {
  readonly task: TableTask;
  readonly labels: Float64Array;
  readonly columns: number;
  readonly mean: number;
}

function labelsOf(rows: Examples): Labels {
  const { labels, encoding } = rows;
  const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  if (encoding.classes) return { task: taskOf(rows), labels, columns: encoding.classes.length, mean };
  return { task: 'regression', labels: labels.map((label) => label - mean), columns: 1, mean };
}

/** Bins of a feature: by code, or by the number of edges that a value is above. The last bin holds missing values. */
interface Binning {
  readonly edges?: Float32Array;
  readonly missing: number;
}

function binningOf({ features, encoding }: Examples, at: number): Binning {
  const codes = codesOf(encoding.features[at]!);
  if (codes !== undefined) return { missing: codes };
  const values = features[at]!;
  const stride = Math.ceil(values.length / rowsForEdges);
  const sampled = Float32Array.from({ length: Math.ceil(values.length / stride) }, (_, place) => values[place * stride]!);
  const sorted = sampled.filter((value) => !Number.isNaN(value)).sort();
  const cuts = Array.from({ length: mostBins - 1 }, (_, cut) => sorted[Math.floor(((cut + 1) * sorted.length) / mostBins)]!);
  const highest = sorted.at(-1);
  const edges = [...new Set(cuts)].filter((edge) => edge < highest!);
  // Of a constant feature there is one bin: nothing is above infinity.
  return { edges: Float32Array.from(edges.length > 0 ? edges : [Infinity]), missing: Math.max(edges.length, 1) + 1 };
}

function binOf(value: number, { edges, missing }: Binning): number {
  if (Number.isNaN(value)) return missing;
  if (edges === undefined) return value;
  let [from, to] = [0, edges.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (edges[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** For each bin and fold the number of rows and the sums of their labels, by column. */
function tallyOf(values: Float32Array, binning: Binning, { labels, columns, task }: Labels, foldOf: Uint8Array): Float64Array {
  const width = columns + 1;
  const tally = new Float64Array((binning.missing + 1) * folds * width);
  for (let row = 0; row < values.length; row++) {
    const cell = (binOf(values[row]!, binning) * folds + foldOf[row]!) * width;
    tally[cell]!++;
    if (task === 'regression') tally[cell + 1]! += labels[row]!;
    else tally[cell + 1 + labels[row]!]!++;
  }
  return tally;
}

/** The mean label of each bin by column, drawn towards the mean of all; with `without` of the other folds' rows. */
function meansOf(tally: Float64Array, { columns }: Labels, without?: number): Float64Array {
  const width = columns + 1;
  const bins = tally.length / (folds * width);
  const sums = new Float64Array(bins * width);
  const all = new Float64Array(width);
  for (let cell = 0; cell < bins * folds; cell++) {
    if (cell % folds === without) continue;
    for (let k = 0; k < width; k++) {
      sums[Math.floor(cell / folds) * width + k]! += tally[cell * width + k]!;
      all[k]! += tally[cell * width + k]!;
    }
  }
  const means = new Float64Array(bins * columns);
  for (let bin = 0; bin < bins; bin++) {
    for (let k = 0; k < columns; k++) {
      const mean = all[k + 1]! / (all[0]! || 1);
      means[bin * columns + k] = (sums[bin * width + 1 + k]! + smoothing * mean) / (sums[bin * width]! + smoothing);
    }
  }
  return means;
}

/** The logarithm of a probability of a class that no other fold has. */
const leastProbability = 1e-15;

/** Mean log loss or squared error of the rows of each fold, by means of the others. From sums alone: Σ(y − m)² = Σy² − 2mΣy + nm². */
function outOfFoldLoss(tally: Float64Array, labels: Labels): number {
  const { columns, task } = labels;
  const width = columns + 1;
  let loss = task === 'regression' ? labels.labels.reduce((sum, label) => sum + label ** 2, 0) : 0;
  for (let fold = 0; fold < folds; fold++) {
    const means = meansOf(tally, labels, fold);
    for (let bin = 0; bin < means.length / columns; bin++) {
      const cell = (bin * folds + fold) * width;
      for (let k = 0; k < columns; k++) {
        const mean = means[bin * columns + k]!;
        const sum = tally[cell + 1 + k]!;
        if (task === 'regression') loss += tally[cell]! * mean ** 2 - 2 * mean * sum;
        else if (sum > 0) loss -= sum * Math.log(Math.max(mean, leastProbability));
      }
    }
  }
  return loss / labels.labels.length;
}

/** What the model answers in each bin. */
function answersOf(means: Float64Array, { task, mean }: Labels): Float64Array {
  if (task === 'regression') return means.map((distance) => mean + distance);
  return task === 'binary' ? means.filter((_, at) => at % 2 === 1) : means;
}

function graph(rows: Examples, at: number, { edges, missing }: Binning, answers: Float64Array): Uint8Array {
  return tableModel(
    rows,
    [
      int64('feature', [at]),
      int64('columns', [1]),
      float32('missing-bin', [missing]),
      float64('answers-by-bin', answers, [missing + 1, answers.length / (missing + 1)]),
      ...(edges ? [float32('edges', edges)] : []),
    ],
    [
      node('Gather', ['features', 'feature'], 'values', { axis: 1 }),
      node('IsNaN', ['values'], 'missing'),
      ...(edges
        ? [
            node('Greater', ['values', 'edges'], 'above'),
            node('Cast', ['above'], 'above-count', { to: 1 }),
            node('ReduceSum', ['above-count', 'columns'], 'bin', { keepdims: 1 }),
          ]
        : [node('Identity', ['values'], 'bin')]),
      node('Where', ['missing', 'missing-bin', 'bin'], 'bin-or-missing'),
      node('Cast', ['bin-or-missing'], 'bin-column', { to: 7 }),
      node('Squeeze', ['bin-column', 'columns'], 'bins'),
      node('Gather', ['answers-by-bin', 'bins'], 'answers'),
    ],
  );
}
