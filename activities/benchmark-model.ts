import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { callOf, json, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { examOptions, rowFiles } from './row-files.ts';
import type { ModelRecord } from './train-model.ts';

export interface BenchmarkModelInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly model: Artifact<'model'>;
  readonly preprocessor: Artifact<'preprocessor'>;
}

export interface Benchmark {
  readonly benchmark: Artifact<'benchmark'>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sizeBytes: number;
}

/** Latency on this machine and size on disk. It depends on the machine and the moment, so it is kept but never keyed, and never part of a package. */
export const benchmarkModel =
  (ports: Ports): Step<BenchmarkModelInput, Benchmark> =>
  async (input, context) => {
    const { onnx } = await readJson<ModelRecord>(ports, input.model);
    const files = await rowFiles(ports, { ...input, parts: ['train', 'validation'] }, callOf(context));
    const measured = await ports.compute.run(
      'benchmark',
      {
        task: input.spec.task,
        scratch: context.scratch,
        preprocessor: await ports.blobs.open(input.preprocessor.sha256, callOf(context)),
        files,
        heldOut: 'test',
        exam: examOptions(input.spec),
        fold: null,
        onnxPath: await ports.blobs.open(onnx.sha256, callOf(context)),
        marksPath: join(context.scratch, 'unused'),
      },
      { signal: context.signal, onProgress: context.heartbeat },
    );
    const content = {
      ...measured,
      sizeBytes: onnx.bytes,
      model: input.model.sha256,
      platform: `${process.platform}/${process.arch}`,
      node: process.version,
    };
    const { sha256, bytes } = await ports.blobs.putBytes(Buffer.from(canonical(content)));
    return { benchmark: { kind: 'benchmark', sha256, bytes, mediaType: json }, p50Ms: measured.p50Ms, p99Ms: measured.p99Ms, sizeBytes: onnx.bytes };
  };
