import { MlError } from '../core/errors.ts';
import type { Golden, GoldenTensor } from '../core/manifest.ts';
import type { Tensor, Tensors, TensorSignature } from '../core/onnx-tensor.ts';
import type { Exam, Request, Signature, Task, TaskKind, TaskTypes } from '../core/task.ts';
import type { Session } from './session.ts';

export interface ExamWatch {
  readonly signal?: AbortSignal;
  /** Called from time to time, and at the end. */
  readonly onProgress?: (done: number, total: number) => Promise<void> | void;
  /** What the spec says that a caller sends, for tasks that ask for it. */
  readonly request?: Request;
}

/** Questions between two reports of progress. */
const reportEvery = 64;

/**
 * Lets a model answer every question of an exam, one at a time where it cannot take several.
 *
 * @throws {MlError} `ModelInvalid` if the model does not have the task's signature; `Cancelled`.
 */
export async function sitExam<K extends TaskKind>(
  session: Session,
  task: Task<K>,
  { questions }: Exam<TaskTypes[K]['question']>,
  { signal, onProgress, request = {} }: ExamWatch = {},
): Promise<TaskTypes[K]['answer'][]> {
  checkSignature(session, task.kind, task.signature(request));
  const answers: TaskTypes[K]['answer'][] = [];
  const { most, feeds, answers: read } = task.together ?? oneByOne(task);
  for (let told = 0; answers.length < questions.length;) {
    if (signal?.aborted) throw new MlError('Cancelled', `the exam was cancelled after ${answers.length} of ${questions.length} questions`);
    const asked = questions.slice(answers.length, answers.length + most);
    const given = read(await session.run(feeds(asked)), asked);
    if (given.length !== asked.length) throw new MlError('ModelInvalid', `the model gave ${given.length} answers to ${asked.length} questions`);
    answers.push(...given);
    if (answers.length - told < reportEvery) continue;
    told = answers.length;
    await onProgress?.(told, questions.length);
  }
  await onProgress?.(answers.length, questions.length);
  return answers;
}

const oneByOne = <K extends TaskKind>(task: Task<K>) => ({
  most: 1,
  feeds: ([question]: readonly TaskTypes[K]['question'][]) => task.feeds(question!),
  answers: (outputs: Tensors, [question]: readonly TaskTypes[K]['question'][]) => [task.answer(question!, outputs)],
});

/** @throws {MlError} `ModelInvalid` if the model takes or gives anything but what the task states. */
export function checkSignature({ inputs, outputs }: Session, kind: string, signature: Signature): void {
  const complain = (what: string) => new MlError('ModelInvalid', `the model is no ${kind} model: ${what}`, { inputs, outputs, signature });
  const missing = signature.inputs.find((wanted) => !inputs.some((has) => agree(wanted, has)));
  if (missing) throw complain(`it has no input ${words(missing)}`);
  const extra = inputs.find(({ name }) => !signature.inputs.some((wanted) => wanted.name === name));
  if (extra) throw complain(`it also wants ${words(extra)}`);
  const lacking = signature.outputs.find((wanted) => !outputs.some((has) => agree(wanted, has)));
  if (lacking) throw complain(`it has no output ${words(lacking)}`);
}

const agree = (wanted: TensorSignature, has: TensorSignature): boolean =>
  wanted.name === has.name &&
  wanted.type === has.type &&
  wanted.dims.length === has.dims.length &&
  wanted.dims.every((dim, axis) => dim < 0 || has.dims[axis] === dim || has.dims[axis] === -1);

const words = ({ name, type, dims }: TensorSignature): string => `"${name}" ${type}[${dims.join(', ')}]`;

/** Answers a few requests, for whoever opens the model later to reproduce. */
export async function makeGolden(session: Session, feeds: readonly Tensors[]): Promise<Golden> {
  const requests: Golden['requests'][number][] = [];
  for (const request of feeds) requests.push({ feeds: toJson(request), outputs: toJson(await session.run(request)) });
  return { requests };
}

/**
 * Answers the golden requests again. A number may differ by `tolerance` of its size, or by `tolerance` where it is below 1.
 *
 * @throws {MlError} `PackageInvalid` if the examples do not fit the model; `ParityBroken` if an answer differs.
 */
export async function checkGolden(session: Session, { requests }: Golden, tolerance: number): Promise<void> {
  for (const [at, { feeds, outputs }] of requests.entries()) {
    const answers = await session.run(fromJson(feeds)).catch((cause: unknown) => {
      throw new MlError('PackageInvalid', `golden example ${at} does not fit its model: ${(cause as Error).message}`, {}, { cause });
    });
    for (const [name, expected] of Object.entries(outputs)) {
      const answer = answers[name];
      if (!answer) throw new MlError('PackageInvalid', `golden example ${at} expects the output "${name}", which its model does not give`);
      const given = tensorToJson(answer);
      const broken = (what: string) =>
        new MlError(
          'ParityBroken',
          `golden example ${at}: ${what}. The model does not answer here as it did when it was packed: check ONNX Runtime's version and the processor`,
        );
      if (given.type !== expected.type || given.dims.join() !== expected.dims.join() || given.values.length !== expected.values.length) {
        throw broken(`"${name}" is ${given.type}[${given.dims.join(', ')}], expected ${expected.type}[${expected.dims.join(', ')}]`);
      }
      const differs = expected.values.findIndex((value, index) => !close(value, given.values[index]!, tolerance));
      if (differs >= 0) throw broken(`"${name}" at ${differs} is ${given.values[differs]}, expected ${expected.values[differs]}`);
    }
  }
}

const close = (a: number | string, b: number | string, tolerance: number): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b)));

const toJson = (tensors: Tensors): Record<string, GoldenTensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensorToJson(tensor)]));

const tensorToJson = ({ type, dims, data }: Tensor): GoldenTensor => ({
  type,
  dims,
  values: Array.from<number | bigint | string, number | string>(data, (value) =>
    typeof value === 'number' && Number.isFinite(value) ? value : String(value),
  ),
});

function fromJson(tensors: Readonly<Record<string, GoldenTensor>>): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensorFromJson(name, tensor)]));
}

function tensorFromJson(name: string, { type, dims, values }: GoldenTensor): Tensor {
  switch (type) {
    case 'float32':
      return { type, dims, data: Float32Array.from(values, Number) };
    case 'float64':
      return { type, dims, data: Float64Array.from(values, Number) };
    case 'int64':
      return { type, dims, data: BigInt64Array.from(values, BigInt) };
    case 'bool':
      return { type, dims, data: Uint8Array.from(values, Number) };
    case 'string':
      return { type, dims, data: values.map(String) };
    default:
      throw new MlError('PackageInvalid', `a golden example gives "${name}" as ${type}, which no model here takes`);
  }
}
