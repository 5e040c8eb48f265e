import { join } from 'node:path';
import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Part } from '../core/table.ts';
import type { CurvePoint } from '../core/trainer.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { runtimeVersion } from '../onnx/session.ts';
import { openCheckpoint } from './checkpoint.ts';
import { keepScript } from './train-script.ts';
import { callOf, makeJson, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { examOptions, rowFiles, rowInputs, rowParameters } from './row-files.ts';
import { metricOf } from './metric-of.ts';

export interface TrainModelInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly preprocessor: Artifact<'preprocessor'>;
  /** The rows that are fitted. */
  readonly parts: readonly Part[] | 'all';
  /** Choices are made on these rows; `null` when the parameters are final. */
  readonly validateOn: 'validation' | null;
  readonly trainer: string;
  readonly parameters: { readonly [name: string]: Json };
}

export interface TrainedModel {
  readonly model: Artifact<'model'>;
  readonly chosen: { readonly [name: string]: Json };
  readonly validation: number | null;
}

/** The content of a `model` artifact: an ONNX file with the record of its training. */
export interface ModelRecord {
  readonly format: 1;
  readonly onnx: { readonly sha256: string; readonly bytes: number };
  /** What it knows: an exam of these very rows would say nothing. Absent before it was recorded. */
  readonly fittedOn?: { readonly rows: string; readonly parts: readonly Part[] | 'all' };
  readonly trainer: string;
  readonly chosen: { readonly [name: string]: Json };
  readonly facts: Readonly<Record<string, Json>>;
  readonly curve: readonly CurvePoint[];
  readonly metric: string;
  readonly validation: number | null;
}

/** Every training is seeded alike: what differs between two runs is their data and parameters, nothing else. */
const seed = 42;

/** Fit one trainer with one set of parameters, in a child process that heartbeats, checkpoints, and goes on in the middle after a kill. */
export const trainModel =
  (ports: Ports): Step<TrainModelInput, TrainedModel> =>
  async (input, context) => {
    const { spec, trainer, parameters, parts, validateOn } = input;
    const metric = metricOf(spec);
    const script = await keepScript(ports, spec.task, trainer, parameters, callOf(context));
    const recipe = {
      step: 'trainModel',
      code: ['activities/compute/fit', ...(script ? ['workers/python/run-script'] : [])],
      inputs: { ...rowInputs(input), preprocessor: input.preprocessor.sha256, ...script?.inputs },
      parameters: {
        ...rowParameters(spec),
        parts: parts as Json,
        validateOn,
        metric: validateOn && metric,
        exam: validateOn && { ...examOptions(spec) },
        trainer,
        parameters,
        seed,
      },
      environment: { duckdb: duckdbVersion, onnxruntime: runtimeVersion, architecture: process.arch, ...script?.environment },
    };
    const checkpoint = openCheckpoint(ports, recipe);
    const model = await makeJson(ports, context, 'model', recipe, async () => {
      const onnxPath = join(context.scratch, 'model.onnx');
      const fitted = await ports.compute.run(
        'fit',
        {
          task: spec.task,
          scratch: context.scratch,
          files: await rowFiles(ports, input, callOf(context)),
          preprocessor: await ports.blobs.open(input.preprocessor.sha256, callOf(context)),
          trainer,
          parameters,
          validateOn,
          metric,
          exam: examOptions(spec),
          seed,
          onnxPath,
          ...(script && { script: await script.open() }),
        },
        { signal: context.signal, onProgress: context.heartbeat, checkpoint },
      );
      const onnx = await ports.blobs.put(onnxPath, { signal: context.signal });
      const { chosen, facts, curve, validation } = fitted;
      const fittedOn = { rows: input.rows.sha256, parts };
      return { format: 1, onnx, fittedOn, trainer, chosen, facts, curve, metric, validation } as ModelRecord;
    });
    // Also when the model was there already: whoever made it may have died in between.
    await checkpoint.clear();
    const { chosen, validation } = await readJson<ModelRecord>(ports, model);
    return { model, chosen, validation };
  };
