import type { Examples } from '../../core/examples.ts';
import { float32, float64, int64, node } from '../../onnx/writer.ts';
import type { Initializer, Node } from '../../onnx/writer.ts';
import { tableModel, taskOf } from '../table-graph.ts';
import type { Design } from './design.ts';

const links = { regression: 'Identity', binary: 'Sigmoid', multiclass: 'Softmax' } as const;

/** The model of `weights`, those of one number of the answer after those of another. Each part of the design adds its term to the scores. */
export function linearModel(rows: Examples, design: Design, weights: readonly Float64Array[]): Uint8Array {
  const terms = [numbers(design, weights), absences(design, weights), codes(design, weights)].filter((term) => term !== undefined);
  const sums = terms.map(({ term }, at) => node('Add', [at === 0 ? 'intercept' : `sum-${at}`, term], `sum-${at + 1}`));
  // Without a term the scores still have a row for each row of features.
  const none = [
    node('Shape', ['features'], 'row-count', { start: 0, end: 1 }),
    node('Concat', ['row-count', 'one'], 'shape', { axis: 0 }),
    node('Expand', ['intercept', 'shape'], 'sum-0'),
  ];
  return tableModel(
    rows,
    [
      float64('intercept', rowsOf(weights, 0, 1), [1, weights.length]),
      ...(terms.length > 0 ? [] : [int64('one', [1])]),
      ...terms.flatMap(({ initializers }) => initializers),
    ],
    [
      ...terms.flatMap(({ nodes }) => nodes),
      ...(terms.length > 0 ? sums : none),
      node(links[taskOf(rows)], [`sum-${terms.length}`], 'answers', taskOf(rows) === 'multiclass' ? { axis: 1 } : {}),
    ],
  );
}

interface Term {
  readonly term: string;
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
}

/** Weights of some columns, a row for each column. */
const rowsOf = (weights: readonly Float64Array[], from: number, count: number): Float64Array =>
  Float64Array.from({ length: count * weights.length }, (_, at) => weights[at % weights.length]![from + Math.floor(at / weights.length)]!);

function numbers({ scaled }: Design, weights: readonly Float64Array[]): Term | undefined {
  if (scaled.length === 0) return undefined;
  return {
    term: 'of-numbers',
    initializers: [
      int64(
        'numbers-at',
        scaled.map(({ at }) => at),
      ),
      float32(
        'medians',
        scaled.map(({ median }) => median),
      ),
      float64(
        'means',
        scaled.map(({ mean }) => mean),
      ),
      float64(
        'deviations',
        scaled.map(({ deviation }) => deviation),
      ),
      float64('number-weights', rowsOf(weights, 1, scaled.length), [scaled.length, weights.length]),
    ],
    nodes: [
      node('Gather', ['features', 'numbers-at'], 'numbers', { axis: 1 }),
      node('IsNaN', ['numbers'], 'number-missing'),
      node('Where', ['number-missing', 'medians', 'numbers'], 'imputed'),
      node('Cast', ['imputed'], 'imputed-64', { to: 11 }),
      node('Sub', ['imputed-64', 'means'], 'centred'),
      node('Div', ['centred', 'deviations'], 'scaled'),
      node('MatMul', ['scaled', 'number-weights'], 'of-numbers'),
    ],
  };
}

function absences({ scaled, missing }: Design, weights: readonly Float64Array[]): Term | undefined {
  if (missing.length === 0) return undefined;
  return {
    term: 'of-absences',
    initializers: [
      int64('absences-at', missing),
      float64('absence-weights', rowsOf(weights, 1 + scaled.length, missing.length), [missing.length, weights.length]),
    ],
    nodes: [
      node('Gather', ['features', 'absences-at'], 'perhaps-missing', { axis: 1 }),
      node('IsNaN', ['perhaps-missing'], 'absent'),
      node('Cast', ['absent'], 'absences', { to: 11 }),
      node('MatMul', ['absences', 'absence-weights'], 'of-absences'),
    ],
  };
}

/** Each code is looked up in the table of all categories' weights. */
function codes({ coded, dense, columns }: Design, weights: readonly Float64Array[]): Term | undefined {
  if (coded.length === 0) return undefined;
  return {
    term: 'of-codes',
    initializers: [
      int64(
        'codes-at',
        coded.map(({ at }) => at),
      ),
      float32(
        'missing-codes',
        coded.map((category) => category.codes),
      ),
      int64(
        'offsets',
        coded.map(({ offset }) => offset - dense),
      ),
      float64('code-weights', rowsOf(weights, dense, columns - dense), [columns - dense, weights.length]),
      int64('categories', [1]),
    ],
    nodes: [
      node('Gather', ['features', 'codes-at'], 'codes', { axis: 1 }),
      node('IsNaN', ['codes'], 'code-missing'),
      node('Where', ['code-missing', 'missing-codes', 'codes'], 'known-codes'),
      node('Cast', ['known-codes'], 'whole-codes', { to: 7 }),
      node('Add', ['whole-codes', 'offsets'], 'places'),
      node('Gather', ['code-weights', 'places'], 'weights-of-codes'),
      node('ReduceSum', ['weights-of-codes', 'categories'], 'of-codes', { keepdims: 0 }),
    ],
  };
}
