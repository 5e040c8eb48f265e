import { MlError } from '../../core/errors.ts';
import type { Examples } from '../../core/examples.ts';
import type { Tensor, Tensors, TensorSignature } from '../../core/onnx-tensor.ts';
import { appendGraph } from '../../onnx/append.ts';
import { coreInput } from '../../onnx/join.ts';
import { readModel } from '../../onnx/reader.ts';
import { openSession } from '../../onnx/session.ts';
import { int64, node } from '../../onnx/writer.ts';
import { answerOf, taskOf, widthOf } from '../table-graph.ts';

/** So many training rows are answered before a model is believed. */
const triedRows = 100;

/** Exporters and libraries sum in other orders and precisions. */
const tolerance = 1e-4;

/**
 * Makes a core model of what a script exported. Converters give regressions a column, two classes two columns, and labels beside probabilities: that is
 * put right with standard operators. What the model answers counts, not what it declares: it is run on the first training rows, `own` are the
 * library's answers to them.
 *
 * @throws {MlError} `ModelInvalid` says what is wrong and what to change in the export; `ParityBroken` if the export answers otherwise than the library.
 */
export async function coreModel(exported: Uint8Array, rows: Examples, own: readonly (number | readonly number[])[] = []): Promise<Uint8Array> {
  const { inputs, outputs } = readModel(exported);
  checkInput(inputs, rows.encoding.features.length);
  const output = chosenOutput(outputs, answerOf(rows));
  const width = widthIn((await answers(exported, rows))[output.name]!, output, rows);
  const core = appendGraph(exported, output.name, tail(rows, output, width));
  checkAnswers((await answers(core, rows))[answerOf(rows)]!.data as Float32Array, rows, own);
  return core;
}

const refused = (why: string): MlError => new MlError('ModelInvalid', `the script's model cannot be used: ${why}`);

function checkInput(inputs: readonly TensorSignature[], features: number): void {
  const [input] = inputs;
  const fits = inputs.length === 1 && input!.name === coreInput && input!.type === 'float32' && [-1, features].includes(input!.dims[1] ?? NaN);
  if (fits) return;
  const found = inputs.map(({ name, type, dims }) => `"${name}" ${type}[${dims.join(', ')}]`).join(', ');
  throw refused(`it has to take "${coreInput}" float32[-1, ${features}] and nothing else, and takes ${found || 'nothing'}`);
}

/** The output with the answer's name, or the only one of real numbers. */
function chosenOutput(outputs: readonly TensorSignature[], wanted: string): TensorSignature {
  const real = outputs.filter(({ type }) => type === 'float32' || type === 'float64');
  const output = real.find(({ name }) => name === wanted) ?? (real.length === 1 ? real[0] : undefined);
  if (output !== undefined) return output;
  const found = outputs.map(({ name, type }) => `"${name}" (${type})`).join(', ');
  throw refused(`it has to give "${wanted}", or one output of real numbers, and gives ${found}`);
}

function tried({ features }: Examples): Tensor {
  const rows = Math.min(triedRows, features[0]?.length ?? 0);
  const width = features.length;
  return {
    type: 'float32',
    dims: [rows, width],
    data: Float32Array.from({ length: rows * width }, (_, at) => features[at % width]![Math.floor(at / width)]!),
  };
}

async function answers(onnx: Uint8Array, rows: Examples): Promise<Tensors> {
  const session = await openSession(onnx);
  try {
    return await session.run({ [coreInput]: tried(rows) });
  } catch (cause) {
    throw refused(`ONNX Runtime cannot run it on the training rows: ${(cause as Error).message}`);
  } finally {
    await session.release();
  }
}

/** Numbers that it gives to a row: those of an answer, or two probabilities where one is wanted. */
function widthIn({ dims }: Tensor, { name }: TensorSignature, rows: Examples): number {
  const count = tried(rows).dims[0]!;
  const [width, task] = [widthOf(rows), taskOf(rows)];
  const given = dims.length === 1 ? 1 : dims.length === 2 ? dims[1]! : NaN;
  if (dims[0] === count && (given === width || (task === 'binary' && given === 2))) return given;
  const wanted =
    task === 'binary' ? `[${count}], [${count}, 1] or [${count}, 2]` : width === 1 ? `[${count}] or [${count}, 1]` : `[${count}, ${width}]`;
  const cure =
    task === 'multiclass' ? `: it needs a column for each of the ${width} classes, in their order, also for one that training rows lack` : '';
  throw refused(`its output "${name}" is [${dims.join(', ')}] for ${count} rows, and has to be ${wanted}${cure}`);
}

/** From an exporter's output to the answer: of two classes the second, as float32, without a column where it is one number. */
function tail(rows: Examples, { type }: TensorSignature, given: number) {
  const [name, width] = [answerOf(rows), widthOf(rows)];
  const second = given > width;
  return {
    inputs: [{ name: 'exported', type, dims: [-1, given] }],
    outputs: [{ name, type: 'float32' as const, dims: width === 1 ? [-1] : [-1, width] }],
    initializers: [int64('second', [1]), int64('shape', width === 1 ? [-1] : [-1, width])],
    nodes: [
      node(second ? 'Gather' : 'Identity', second ? ['exported', 'second'] : ['exported'], 'picked', second ? { axis: 1 } : {}),
      node('Cast', ['picked'], 'single', { to: 1 }),
      node('Reshape', ['single', 'shape'], name),
    ],
  };
}

function checkAnswers(given: Float32Array, rows: Examples, own: readonly (number | readonly number[])[]): void {
  const isRegression = taskOf(rows) === 'regression';
  const width = widthOf(rows);
  for (const [at, value] of given.entries()) {
    const row = Math.floor(at / width);
    if (!Number.isFinite(value)) {
      throw refused(`it answers ${value} to training row ${row}: missing values are NaN, so the script has to impute them inside the model`);
    }
    if (!isRegression && (value < -tolerance || value > 1 + tolerance)) {
      throw refused(`it answers ${value} to training row ${row}, which is no probability: export probabilities, not scores`);
    }
    const expected = [own[row] ?? []].flat()[at % width];
    if (expected === undefined || Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected))) continue;
    throw new MlError(
      'ParityBroken',
      `the exported model answers ${value} to training row ${row}, and the library ${expected}: the export is wrong`,
      {
        row,
        exported: value,
        library: expected,
      },
    );
  }
}
