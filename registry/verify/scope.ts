import { MlError } from '../../core/errors.ts';
import type { PackageManifest } from '../../core/manifest.ts';
import { fold, formatReference, parseReference, resolveVersion } from '../../core/registry.ts';
import type { Entry, SegmentState, VersionState } from '../../core/registry-entry.ts';
import { readMadeAt } from '../../stores/artifact-store.ts';
import { sha256 } from '../../stores/digest.ts';
import { keySegment } from '../../stores/key.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';
import { readObjects } from '../../stores/read-object.ts';
import { unseal } from '../../stores/sealed.ts';
import { changeOf } from '../changes.ts';
import { contentOf, readContent } from './content.ts';

/** The objects that a version rests on. */
export interface Scope {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  has(place: Key): boolean;
  /** That version alone. */
  only(states: readonly SegmentState[]): readonly SegmentState[];
}

/**
 * A version's log, what it consists of, what made that, of what, and in which runs, up to the sources. What cannot be read here is named when it is
 * checked.
 *
 * @throws {MlError} `RequestInvalid`, `ModelUnknown`, `VersionUnknown`
 */
export async function scopeOf(store: ObjectStore, places: readonly Key[], text: string): Promise<Scope> {
  const { model, segment, at } = parseReference(text);
  const log = `models/${model}/${segment}/log/`;
  const own = places.filter((place) => place.startsWith(log));
  if (own.length === 0) throw new MlError('ModelUnknown', `there is no log of ${model}/${segment} in ${store.uri}`, { model, segment });
  const bodies = await readObjects(store, own);
  const entries = bodies.flatMap((body) => unseal<Entry>(body) ?? []).toSorted((a, b) => a.n - b.n);
  const version = resolveVersion(fold(model, segment, entries), at);
  if (version === undefined) {
    throw new MlError('VersionUnknown', `"${text}" is no version that the log of ${model}/${segment} tells of: see "perennial versions ${model}"`, {
      reference: text,
    });
  }
  const { digests, made, runs } = await reach(store, places, version);
  const runPlaces = places.filter((place) => place.startsWith('runs/') && runs.has(place.split('/')[1]!));
  for (const body of await readObjects(store, runPlaces)) if (body !== undefined) digests.add(sha256(body));

  const tests: Readonly<Record<string, (parts: readonly string[], place: Key) => boolean>> = {
    blobs: (parts) => digests.has(parts.at(-1)!),
    made: (_, place) => made.has(place),
    runs: ([, run]) => runs.has(run!),
    used: ([, run]) => version.run !== null && run === keySegment(version.run.runId),
    models: (_, place) => place.startsWith(log),
    changes: (_, place) => changeOf(place)?.model === model && changeOf(place)?.segment === segment,
    folded: ([, ...place]) => place[0] === model && place[1] === segment,
    seen: ([, ...place]) => place[0] === model && place[1] === segment,
    index: () => true,
    keys: () => true,
    signatures: ([, subject]) => digests.has(subject!),
  };
  return {
    model,
    segment,
    version: version.version,
    has: (place) => {
      const parts = place.split('/');
      return tests[parts[0]!]?.(parts, place) ?? false;
    },
    only: (states) =>
      states
        .filter((state) => formatReference(state.model, state.segment, 0) === formatReference(model, segment, 0))
        .map((state) => ({ ...state, versions: state.versions.filter((it) => it.version === version.version) })),
  };
}

/** Everything upstream of a version. */
async function reach(store: ObjectStore, places: readonly Key[], version: VersionState) {
  const records = await readMadeAt(
    store,
    places.filter((place) => place.startsWith('made/')),
  );
  const makers = new Map<string, (typeof records)[number][]>();
  for (const made of records) makers.set(made[1].artifact.sha256, [...(makers.get(made[1].artifact.sha256) ?? []), made]);
  const digests = new Set<string>();
  const made = new Set<Key>();
  const runs = new Set<string>(version.run === null ? [] : [keySegment(version.run.runId)]);
  const queue = [...contentOf(version).map(([, { sha256: digest }]) => digest), ...(await filesOf(store, version.package.sha256))];
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (digests.has(digest)) continue;
    digests.add(digest);
    for (const [place, { provenance, artifact, by }] of makers.get(digest) ?? []) {
      made.add(place);
      runs.add(keySegment(by.runId));
      queue.push(...Object.values(provenance.inputs));
      if (artifact.kind === 'model') queue.push(...(await onnxOf(store, digest)));
    }
  }
  return { digests, made, runs };
}

async function filesOf(store: ObjectStore, pack: string): Promise<readonly string[]> {
  const manifest = await readContent<PackageManifest>(store, pack);
  return manifest?.files?.map(({ sha256: digest }) => digest) ?? [];
}

async function onnxOf(store: ObjectStore, model: string): Promise<readonly string[]> {
  const record = await readContent<{ readonly onnx?: { readonly sha256: string } }>(store, model);
  return record?.onnx === undefined ? [] : [record.onnx.sha256];
}
