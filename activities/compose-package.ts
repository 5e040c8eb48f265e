import { modelInputs } from '../core/aggregates.ts';
import type { Artifact, Json } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import { outputsAsked } from '../core/finish.ts';
import type { Candidate } from '../core/grid.ts';
import type { PackageFile, PackageManifest, Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { taskOf } from '../core/tasks/index.ts';
import { duckdbVersion } from '../data/duckdb.ts';
import { loaderOf } from '../data/loaders/index.ts';
import { runtimeVersion } from '../onnx/session.ts';
import { callOf, json, makeJson, readJson } from './make.ts';
import { modelCard } from './model-card.ts';
import type { Ports, Step } from './ports.ts';
import { rowFiles } from './row-files.ts';
import type { ModelRecord } from './train-model.ts';

export interface ComposePackageInput {
  readonly spec: ModelSpec;
  readonly specArtifact: Artifact<'spec'>;
  readonly segment: string;
  readonly window: Window;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly chosen: Candidate;
  /** The model that will be served, and its encoding. */
  readonly model: Artifact<'model'>;
  readonly preprocessor: Artifact<'preprocessor'>;
  readonly evaluation: Artifact<'evaluation'>;
}

/** What the packed model takes and gives. */
function signatureOf(spec: ModelSpec): PackageManifest['signature'] {
  const task = taskOf(spec.task);
  const { inputs, outputs } = task.signature(modelInputs(spec));
  return { inputs, outputs: [...outputs, ...outputsAsked(task, spec)] };
}

/** So many golden examples a server reproduces before it lets a version in. */
const goldenRequests = 5;

/** Put model, encoding, golden examples, model card, spec and provenance into one package: a manifest of files with their hashes. */
export const composePackage =
  (ports: Ports): Step<ComposePackageInput, Artifact<'package'>> =>
  async (input, context) => {
    const { spec, segment, window, chosen, model, preprocessor, evaluation, rows, specArtifact } = input;
    const inputs = {
      model: model.sha256,
      preprocessor: preprocessor.sha256,
      evaluation: evaluation.sha256,
      rows: rows.sha256,
      spec: specArtifact.sha256,
    };
    const parameters = { model: spec.name, task: spec.task, segment, window: { ...window }, chosen: { ...chosen } };
    const environment = { duckdb: duckdbVersion, onnxruntime: runtimeVersion, architecture: process.arch };
    return makeJson(
      ports,
      context,
      'package',
      { step: 'composePackage', code: ['activities/compose-package', 'activities/compute/examine'], inputs, parameters, environment },
      async () => {
        const { onnx, facts } = await readJson<ModelRecord>(ports, model);
        const golden = await ports.compute.run(
          'golden',
          {
            task: spec.task,
            scratch: context.scratch,
            files: await rowFiles(ports, { ...input, parts: spec.refit === 'none' ? ['train', 'validation'] : 'all' }, callOf(context)),
            preprocessor: await ports.blobs.open(preprocessor.sha256, callOf(context)),
            onnxPath: await ports.blobs.open(onnx.sha256, callOf(context)),
            requests: goldenRequests,
          },
          { signal: context.signal, onProgress: context.heartbeat },
        );
        const put = async (path: string, role: PackageFile['role'], mediaType: string, content: string): Promise<PackageFile> => ({
          path,
          role,
          mediaType,
          ...(await ports.blobs.putBytes(Buffer.from(content))),
        });
        return {
          format: 1,
          model: spec.name,
          task: spec.task,
          segment,
          window,
          trainer: { name: chosen.trainer, parameters: chosen.parameters as Json },
          signature: signatureOf(spec),
          files: [
            { path: 'model.onnx', role: 'model', mediaType: 'application/onnx', sha256: onnx.sha256, bytes: onnx.bytes },
            { ...loaderOf(spec.task).packed, mediaType: json, sha256: preprocessor.sha256, bytes: preprocessor.bytes },
            { path: 'evaluation.json', role: 'evaluation', mediaType: json, sha256: evaluation.sha256, bytes: evaluation.bytes },
            await put('golden.json', 'golden', json, canonical(golden)),
            await put('README.md', 'card', 'text/markdown; charset=utf-8', modelCard({ spec, segment, window, chosen, facts })),
            { path: 'spec.json', role: 'spec', mediaType: json, sha256: specArtifact.sha256, bytes: specArtifact.bytes },
            await put('provenance.json', 'provenance', json, canonical(inputs)),
          ],
        } satisfies PackageManifest;
      },
    );
  };
