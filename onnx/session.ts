import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';
import { MlError } from '../core/errors.ts';
import type { Tensor, Tensors, TensorSignature } from '../core/onnx-tensor.ts';
import { readModel } from './reader.ts';

/** The version of ONNX Runtime, as steps that depend on it declare it. Reading it loads no native library. */
export const runtimeVersion = (createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string }).version;

/** A model ready to answer. Holds native memory: always `release` it. */
export interface Session {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /**
   * Answers one request. Blocks the event loop while it computes.
   *
   * @throws {MlError} `RequestInvalid` if a name, element type or dimension differs from `inputs`.
   */
  run(feeds: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one operator. Default 1: the result and the load do not depend on the machine, and requests share its cores. */
  readonly threads?: number;
}

/**
 * Opens a model from its bytes, or from a file with them.
 *
 * @throws {MlError} `ModelInvalid` if it is refused by `readModel` or by ONNX Runtime; `ConfigInvalid` if the native library is missing.
 */
export async function openSession(model: Uint8Array | string, { threads = 1 }: SessionOptions = {}): Promise<Session> {
  const bytes = typeof model === 'string' ? await readFile(model) : model;
  const { inputs, outputs } = readModel(bytes);
  const runtime = await load();
  const native = await create(runtime, bytes, threads);
  return {
    inputs,
    outputs,
    async run(feeds) {
      checkFeeds(inputs, feeds);
      const given = Object.entries(feeds).map(([name, tensor]) => [name, toNative(runtime, tensor)]);
      const results = await native.run(Object.fromEntries(given) as OnnxRuntime.InferenceSession.FeedsType).catch((cause: unknown) => {
        throw new MlError('RequestInvalid', `the model cannot answer this request: ${(cause as Error).message}`, {}, { cause });
      });
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromNative(name, tensor)]));
    },
    release: () => native.release(),
  };
}

async function load(): Promise<typeof OnnxRuntime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new MlError(
      'ConfigInvalid',
      `ONNX Runtime's native library does not load on ${process.platform}/${process.arch}: set ONNXRUNTIME_NODE_INSTALL=skip and reinstall onnxruntime-node (${(cause as Error).message})`,
      {},
      { cause },
    );
  }
}

async function create(runtime: typeof OnnxRuntime, bytes: Uint8Array, threads: number): Promise<OnnxRuntime.InferenceSession> {
  try {
    return await runtime.InferenceSession.create(bytes, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Every failure is thrown; the native log would print it a second time.
      logSeverityLevel: 4,
      // Idle threads would burn a core each while they wait for the next request.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (cause) {
    throw new MlError('ModelInvalid', `ONNX Runtime refuses the model: ${(cause as Error).message}`, {}, { cause });
  }
}

function checkFeeds(inputs: readonly TensorSignature[], feeds: Tensors): void {
  const invalid = (what: string) => new MlError('RequestInvalid', what, { inputs });
  const extra = Object.keys(feeds).find((name) => !inputs.some((input) => input.name === name));
  if (extra !== undefined) throw invalid(`the model has no input "${extra}"; its inputs are ${inputs.map(({ name }) => name).join(', ')}`);
  for (const { name, type, dims } of inputs) {
    const tensor = feeds[name];
    if (!tensor) throw invalid(`input "${name}" is missing`);
    if (tensor.type !== type) throw invalid(`input "${name}" is ${tensor.type}; the model takes ${type}`);
    if (tensor.dims.length !== dims.length || dims.some((dim, axis) => dim >= 0 && dim !== tensor.dims[axis])) {
      throw invalid(`input "${name}" has dimensions [${tensor.dims.join(', ')}]; the model takes [${dims.join(', ')}], where -1 is any length`);
    }
    const size = tensor.dims.reduce((product, dim) => product * dim, 1);
    if (tensor.data.length !== size) {
      throw invalid(`input "${name}" has ${tensor.data.length} values; its dimensions [${tensor.dims.join(', ')}] hold ${size}`);
    }
  }
}

const toNative = (runtime: typeof OnnxRuntime, { type, data, dims }: Tensor): OnnxRuntime.Tensor =>
  new runtime.Tensor(type as 'float32', data as Float32Array, dims);

function fromNative(name: string, { type, data, dims }: OnnxRuntime.Tensor): Tensor {
  if (type === 'float32' || type === 'float64' || type === 'int64' || type === 'bool' || type === 'string') {
    return { type, dims, data } as Tensor;
  }
  throw new MlError('ModelInvalid', `output "${name}" is ${type}, which nothing here can read`);
}
