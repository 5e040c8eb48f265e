import { join } from 'node:path';
import type { Artifact, Json } from '../core/artifact.ts';
import { type Finish, finishOf } from '../core/finish.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { runtimeVersion } from '../onnx/session.ts';
import { callOf, makeJson, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import { examOptions, rowFiles, rowInputs, rowParameters } from './row-files.ts';
import type { ModelRecord } from './train-model.ts';

export interface FinishModelInput {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  /** The chosen candidate as it was fitted on the training rows alone: it answers the validation rows as it will answer new ones. */
  readonly learner: { readonly model: Artifact<'model'>; readonly preprocessor: Artifact<'preprocessor'> };
  /** The same, fitted on more rows: it gets what is learned. */
  readonly model: Artifact<'model'>;
}

/** Put behind a model what its spec asks besides the answer (bounds, say), as the validation rows teach it. */
export const finishModel =
  (ports: Ports): Step<FinishModelInput, Artifact<'model'>> =>
  async (input, context) => {
    const { spec, learner, model } = input;
    const asked = finishOf(spec) ?? {};
    const parts = ['train', 'validation'] as const;
    const recipe = {
      step: 'finishModel',
      code: ['activities/finish-model', 'activities/compute/finish'],
      inputs: { ...rowInputs({ ...input, parts }), learner: learner.model.sha256, preprocessor: learner.preprocessor.sha256, model: model.sha256 },
      parameters: { ...rowParameters(spec), exam: { ...examOptions(spec) }, asked: asked as Json },
      environment: { duckdb: duckdbVersion, onnxruntime: runtimeVersion, architecture: process.arch },
    };
    return makeJson(ports, context, 'model', recipe, async () => {
      const [record, learned] = await Promise.all([readJson<ModelRecord>(ports, model), readJson<ModelRecord>(ports, learner.model)]);
      const open = (sha256: string): Promise<string> => ports.blobs.open(sha256, callOf(context));
      const finishedPath = join(context.scratch, 'finished.onnx');
      const finish = await ports.compute.run(
        'finish',
        {
          task: spec.task,
          scratch: context.scratch,
          files: await rowFiles(ports, { ...input, parts }, callOf(context)),
          exam: examOptions(spec),
          preprocessor: await open(learner.preprocessor.sha256),
          onnxPath: await open(learned.onnx.sha256),
          asked,
          modelPath: await open(record.onnx.sha256),
          finishedPath,
        },
        { signal: context.signal, onProgress: context.heartbeat },
      );
      const onnx = await ports.blobs.put(finishedPath, { signal: context.signal });
      return { ...record, onnx, facts: { ...record.facts, finish: toldOf(finish) } } satisfies ModelRecord;
    });
  };

/** For people to read: the knots of a line are in the model. */
function toldOf({ calibration, ...finish }: Finish): Json {
  if (calibration?.method !== 'isotonic') return { ...finish, ...(calibration && { calibration: { ...calibration } }) } as Json;
  return { ...finish, calibration: { method: calibration.method, knots: calibration.from.length } } as Json;
}
