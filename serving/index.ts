import { MlError } from '../core/errors.ts';
import { allRows } from '../core/segment.ts';
import type { SegmentState } from '../core/registry-entry.ts';
import type { Blobs } from '../stores/blobs.ts';
import { fetchVersion } from './fetch-version.ts';
import { loadModel as load } from './loaded-model.ts';
import type { ServedModel } from './served-model.ts';

export { FeatureStates, type FeatureStatesOptions } from './features/feature-states.ts';
export type { Pushed } from './features/kept-source.ts';
export type { FeatureSpec, ModelFeatures } from './features/model-features.ts';
export type { RecommendedItem, Recommendations, RecommendRequest } from './recommend.ts';
export type { Prediction, RequestRow, ServedModel, UserProfile, UserSummary, VersionIdentity } from './served-model.ts';
export { startPredictionServer, type PredictionServer, type PredictionServerOptions } from './server.ts';

/**
 * A version of a model in this process, without a server: checked, ready to answer, to be released by the caller. Without `version` it is the
 * champion of the segment, else the one of `all`. Loading and answering block the event loop; a server gives each version a thread of its own.
 *
 * @throws {MlError} `VersionUnknown`, and what the checks find.
 */
export async function loadModel(
  from: { readonly registry: { state(place: { readonly model: string; readonly segment: string }): Promise<SegmentState> }; readonly blobs: Blobs },
  { model, segment = allRows, version }: { readonly model: string; readonly segment?: string; readonly version?: number },
): Promise<ServedModel> {
  const state = await from.registry.state({ model, segment });
  const wanted = version ?? state.champion;
  const registered = state.versions.find((candidate) => candidate.version === wanted);
  if (registered) return load(await fetchVersion(from.blobs, model, segment, registered));
  if (version === undefined && segment !== allRows) return loadModel(from, { model });
  const what = version === undefined ? 'no champion' : `no version ${version}`;
  throw new MlError('VersionUnknown', `${model}/${segment} has ${what}: it has ${state.versions.length} versions`);
}
