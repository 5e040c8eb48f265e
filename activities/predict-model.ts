import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Part } from '../core/table.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { runtimeVersion } from '../onnx/session.ts';
import { callOf, json, makeArtifact, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { examOptions, rowFiles, rowInputs, rowParameters } from './row-files.ts';
import type { ModelRecord } from './train-model.ts';

export interface PredictModelInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly model: Artifact<'model'>;
  /** The model's own: a champion knows its own catalogue, not the challenger's. */
  readonly preprocessor: Artifact<'preprocessor'>;
  /** The rows that a request may know. */
  readonly known: readonly Part[];
  /** Name of the fold, `all` where there is only one. */
  readonly fold: string;
  /** For the web UI only. */
  readonly contender: string;
}

/** Let a model sit the exam of the test rows by ONNX Runtime: a mark per unit. */
export const predictModel =
  (ports: Ports): Step<PredictModelInput, Artifact<'predictions'>> =>
  async (input, context) => {
    const { spec, known: parts } = input;
    const fold = input.fold === 'all' ? null : input.fold;
    const recipe = {
      step: 'predictModel',
      code: ['activities/predict-model', 'activities/compute/examine'],
      inputs: { ...rowInputs({ ...input, parts }), model: input.model.sha256, preprocessor: input.preprocessor.sha256 },
      parameters: { ...rowParameters(spec), parts: [...parts], fold, exam: { ...examOptions(spec) } },
      environment: { duckdb: duckdbVersion, onnxruntime: runtimeVersion, architecture: process.arch },
      mediaType: json,
    };
    return makeArtifact(ports, context, 'predictions', recipe, async () => {
      const { onnx, fittedOn, facts } = await readJson<ModelRecord>(ports, input.model);
      refuseWhoKnows(input, fittedOn);
      const { feature } = facts;
      const marksPath = join(context.scratch, 'marks.json');
      const files = await rowFiles(ports, { ...input, parts }, callOf(context));
      const [onnxPath, preprocessor] = await Promise.all([
        ports.blobs.open(onnx.sha256, callOf(context)),
        ports.blobs.open(input.preprocessor.sha256, callOf(context)),
      ]);
      await ports.compute.run(
        'examine',
        {
          task: spec.task,
          scratch: context.scratch,
          files,
          preprocessor,
          heldOut: 'test',
          exam: examOptions(spec),
          fold,
          onnxPath,
          marksPath,
          ...(typeof feature === 'string' && { feature }),
        },
        { signal: context.signal, onProgress: context.heartbeat },
      );
      return { path: marksPath };
    });
  };

/** A model that was fitted on the rows of an exam would only recite them. */
function refuseWhoKnows({ rows, contender }: PredictModelInput, fittedOn: ModelRecord['fittedOn']): void {
  if (fittedOn?.rows !== rows.sha256 || !(fittedOn.parts === 'all' || fittedOn.parts.includes('test'))) return;
  throw new MlError(
    'LeakFound',
    `test rows in training: "${contender}" was fitted on the test rows of this very exam (parts: ${[fittedOn.parts].flat().join(', ')}): fit it on training and validation rows, and examine that`,
    { reason: 'test-rows-in-training', contender, parts: fittedOn.parts },
  );
}
