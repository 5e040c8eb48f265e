import { missingInteger, type TableEncoding, tensorTypes } from '../encoding.ts';
import { MlError } from '../errors.ts';
import type { Examples, RawColumn } from '../examples.ts';
import type { Tensor, Tensors, TensorSignature } from '../onnx-tensor.ts';
import { random } from '../random.ts';
import type { Exam, Marks, Request, Signature, TaskKind, TaskType, TaskTypes } from '../task.ts';

/** Rows that are asked about: their raw inputs by column. */
export interface AskedTable {
  readonly inputs: TableEncoding['inputs'];
  readonly raw: readonly RawColumn[];
}

/** One row of a table, which a model is asked about. */
export interface RowQuestion {
  readonly table: AskedTable;
  readonly at: number;
}

/** What `TaskTypes` says of a kind whose rows are those of a table. */
export interface TableTask<Answer, Metric extends string, Baseline extends string, Target, Finish extends TaskType['finish']> extends TaskType {
  readonly data: Examples;
  readonly target: Target;
  readonly question: RowQuestion;
  readonly answer: Answer;
  readonly metric: Metric;
  readonly baseline: Baseline;
  readonly slice: `${string}=${string}`;
  readonly finish: Finish;
  readonly finishMetric: Extract<Finish[keyof Finish], string>;
}

/** The kinds of task whose rows are those of a table. */
export type TableKind = { [K in TaskKind]: TaskTypes[K]['data'] extends Examples ? K : never }[TaskKind];

/** What no figure of a table shows. */
export const tableLimits = [
  'Figures hold for rows like those examined; of others (new places, new equipment, other rules) they say nothing.',
  'Labels are taken as they were recorded: where they were recorded wrongly or late, so are the figures.',
];

/** Slices of tables come from the spec: any column in `slices`, by its values. */
export const tableSlices = { '<column>=<value>': 'rows with this value of the column' };

/** What a caller may send, `[batch, 1]` each, and the outputs of a kind. */
export function tableSignature(request: Request, outputs: readonly TensorSignature[]): Signature {
  const inputs = inputsOf(request).map(({ name, kind }) => ({ name, type: tensorTypes[kind], dims: [-1, 1] }));
  return { inputs, outputs };
}

/** The inputs of a model, in the order of the request: all but the keys. */
export function inputsOf(request: Request): TableEncoding['inputs'] {
  return Object.entries(request).flatMap(([name, kind]) => (kind === 'key' ? [] : [{ name, kind }]));
}

/** Each held-out row is a question. */
export function exam(_known: Examples, heldOut: Examples): Exam<RowQuestion> {
  const { asked } = heldOut;
  if (asked === undefined) throw new MlError('Bug', 'held-out rows come with what is asked of them');
  const table = { inputs: heldOut.encoding.inputs, raw: asked.raw };
  return {
    units: asked.units,
    questions: asked.units.map((_, at) => ({ table, at })),
    slices: asked.slices,
    ...(asked.groups && { groups: asked.groups }),
    truth: { labels: heldOut.labels, timesMs: heldOut.timesMs },
  };
}

/** Made-up rows: values near those of the training rows, levels that they had; the first has nothing where nothing can be. */
export function examples({ encoding: { inputs, features, vocabularies = {} } }: Examples, count: number): RowQuestion[] {
  const draw = random('golden examples');
  const rows = Array.from({ length: count }, (_, at) => at);
  const raw = inputs.map(({ name, kind }): RawColumn => {
    const { encoder, mean, deviation } = features.find(({ from }) => from === name) ?? { encoder: { by: 'value' }, mean: 0, deviation: 1 };
    const some = (): number => Math.fround(mean + deviation * (2 * draw.next() - 1));
    switch (kind) {
      case 'number':
        return { kind, values: Float64Array.from(rows, (at) => (at === 0 ? Number.NaN : some())) };
      case 'integer':
        return { kind, values: BigInt64Array.from(rows, (at) => (at === 0 ? missingInteger : BigInt(Math.round(some())))) };
      case 'time':
        return { kind, values: BigInt64Array.from(rows, (at) => (at === 0 ? missingInteger : BigInt(draw.below(2 ** 31)) * 1000n)) };
      case 'flag':
        return { kind, values: Uint8Array.from(rows, () => draw.below(2)) };
      case 'category': {
        const levels = 'levels' in encoder ? encoder.levels : (vocabularies[name]?.terms ?? []);
        return { kind, values: rows.map((at) => (at === 0 || levels.length === 0 ? '' : levels[draw.below(levels.length)]!)) };
      }
      case 'text': {
        const terms = vocabularies[name]?.terms ?? [];
        const several = () => Array.from({ length: draw.below(8) }, () => terms[draw.below(terms.length)]).join(' ');
        return { kind, values: rows.map((at) => (at === 0 || terms.length === 0 ? '' : several())) };
      }
    }
  });
  return rows.map((at) => ({ table: { inputs, raw }, at }));
}

export const feeds = (question: RowQuestion): Tensors => feedsTogether([question]);

/** Rows of one table, as many as there are questions. */
export function feedsTogether(questions: readonly RowQuestion[]): Tensors {
  const { inputs, raw } = questions[0]!.table;
  return Object.fromEntries(inputs.map(({ name }, column) => [name, gather(raw[column]!, questions)]));
}

function gather(column: RawColumn, questions: readonly RowQuestion[]): Tensor {
  const dims = [questions.length, 1];
  switch (column.kind) {
    case 'number':
      return { type: 'float64', dims, data: Float64Array.from(questions, ({ at }) => column.values[at]!) };
    case 'integer':
    case 'time': {
      const data = new BigInt64Array(questions.length);
      for (const [to, { at }] of questions.entries()) data[to] = column.values[at]!;
      return { type: 'int64', dims, data };
    }
    case 'flag':
      return { type: 'bool', dims, data: Uint8Array.from(questions, ({ at }) => column.values[at]!) };
    case 'category':
    case 'text':
      return { type: 'string', dims, data: questions.map(({ at }) => column.values[at]!) };
  }
}

/** Rows that a model answers in one run. */
export const rowsTogether = 4096;

/** A float32 output of a model. @throws {MlError} `ModelInvalid` if there is none, or an answer is no number. */
export function outputOf(outputs: Tensors, name: string): Float32Array {
  const output = outputs[name];
  if (output?.type !== 'float32') throw new MlError('ModelInvalid', `a model of a table gives float32 "${name}", one for each row`);
  const odd = output.data.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new MlError('ModelInvalid', `the model answered ${output.data[odd]!} at ${odd} of "${name}": impute missing values (NaN) within it`);
  return output.data;
}

const msPerDay = 86_400_000;

/** What every kind notes of each row: its label, day and group. */
export function marksOf(
  { units, slices, groups, truth }: Exam<RowQuestion>,
  answers: readonly unknown[],
): Pick<Marks, 'units' | 'slices' | 'groups' | 'columns'> {
  if (truth === undefined || answers.length !== units.length) {
    throw new MlError('Bug', `${answers.length} answers to an exam of ${units.length} rows`);
  }
  const numbers = new Map<string, number>();
  const numberOf = (owner: string): number => numbers.get(owner) ?? numbers.set(owner, numbers.size).size - 1;
  return {
    units,
    slices,
    ...(groups && { groups }),
    columns: {
      label: Array.from(truth.labels),
      day: Array.from(truth.timesMs, (ms) => Math.floor(ms / msPerDay)),
      group: (groups ?? units).map(numberOf),
    },
  };
}
