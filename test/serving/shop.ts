import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Artifact, ArtifactKind } from '../../core/artifact.ts';
import { canonical } from '../../core/canonical.ts';
import { modelInputs } from '../../core/aggregates.ts';
import type { TableEncoding } from '../../core/encoding.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { mapValues } from '../../core/map-values.ts';
import type { FileRole, Item, PackageManifest, Window } from '../../core/manifest.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { Gain } from '../../core/registry-entry.ts';
import type { Request } from '../../core/task.ts';
import { inputsOf } from '../../core/tasks/table-exam.ts';
import { regression } from '../../core/tasks/regression.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';
import { makeGolden } from '../../onnx/examine.ts';
import { openSession } from '../../onnx/session.ts';
import { openRegistry, type Place, type Registry } from '../../registry/registry.ts';
import { openBlobs, type Blobs } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';

export interface Release {
  readonly model: string;
  readonly segment?: string;
  readonly onnx: Uint8Array;
  /** Of a recommender. */
  readonly items?: readonly Item[];
  /** Of a model of a table. */
  readonly spec?: ModelSpec<'regression'>;
  /** `{ user, items: [[id, value, ms]] }` lines. */
  readonly histories?: readonly { readonly user: string; readonly items: readonly (readonly [string, number, number])[] }[];
  readonly window?: Window;
  readonly trainer?: string;
  readonly rows?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly gains?: readonly Gain[];
  readonly report?: string;
  /** Golden answers of another model, so that the version fails its check. */
  readonly goldenOf?: Uint8Array;
  /** What the log says is the spec, where it is not the package's. */
  readonly loggedSpec?: object;
}

export interface Registered {
  readonly version: number;
  readonly digest: string;
  readonly manifest: PackageManifest;
}

/** A store in a temporary folder, with a registry that versions can be released into as `train` would. */
export interface Shop {
  readonly folder: string;
  readonly blobs: Blobs;
  readonly registry: Registry;
  /** Packs and registers a version. */
  register(release: Release): Promise<Registered>;
  promote(place: Place, version: number): Promise<void>;
  /** Both at once. */
  release(release: Release): Promise<Registered>;
  close(): Promise<void>;
}

const author = { by: 'test', run: { workflowId: 'train/test/all', runId: '0199-test' } };

export async function openShop(): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-serving-'));
  const store = await openStore(join(folder, 'store'));
  const blobs = await openBlobs(store, join(folder, 'cache'));
  const registry = openRegistry(store, blobs);

  async function put<K extends ArtifactKind>(kind: K, content: Uint8Array | string, mediaType = 'application/json'): Promise<Artifact<K>> {
    return { kind, mediaType, ...(await blobs.putBytes(typeof content === 'string' ? Buffer.from(content) : content)) };
  }

  async function register({ model, segment = 'all', onnx, items = [], ...rest }: Release): Promise<Registered> {
    const window = rest.window ?? { from: '2018-01-01T00:00:00.000Z', to: '2018-10-01T00:00:00.000Z' };
    const file = async (path: string, role: FileRole, content: Uint8Array | string, mediaType = 'application/json') => {
      const { sha256, bytes } = await put('package', content);
      return { path, role, sha256, bytes, mediaType };
    };
    const spec = canonical(rest.spec ?? { format: 1, name: model, target: { user: 'userId', item: 'movieId', relevantFrom: 4 } });
    const request = rest.spec && modelInputs(rest.spec);
    const task = request ? regression : recommendation;
    const manifest: PackageManifest = {
      format: 1,
      model,
      task: task.kind,
      segment,
      window,
      trainer: { name: rest.trainer ?? 'popularity', parameters: {} },
      signature: task.signature(request ?? {}),
      files: [
        await file('model.onnx', 'model', onnx, 'application/onnx'),
        request
          ? await file('preprocessor.json', 'preprocessor', JSON.stringify(encodingOf(request)))
          : await file('items.json', 'items', JSON.stringify(items)),
        await file('spec.json', 'spec', spec),
        await file('golden.json', 'golden', JSON.stringify(request ? { requests: [] } : await goldenOf(rest.goldenOf ?? onnx, items.length))),
      ],
    };
    const pack = await put('package', canonical(manifest));
    const histories = rest.histories?.map((line) => JSON.stringify(line)).join('\n');
    const unread = await put('rows', 'not read by a server');
    const place = { model, segment };
    const gains = rest.gains ?? [];
    const metrics = rest.metrics ?? { 'ndcg@10': 0.1 };
    const evaluation: Evaluation = {
      ...{ format: 1, model, segment, task: task.kind, metric: 'ndcg@10', confidence: 0.95, folds: ['all'], units: 100, rowsLeftOut: 0, gains },
      contenders: { challenger: { metrics: mapValues(metrics, (value) => ({ value, low: value, high: value })), slices: {} } },
    };
    const { version } = await registry.register(
      place,
      {
        package: pack,
        window,
        rows: rest.rows ?? 1000,
        observed: {},
        spec: await put('spec', rest.loggedSpec === undefined ? spec : canonical(rest.loggedSpec)),
        evaluation: await put('evaluation', canonical(evaluation)),
        report: await put('report', rest.report ?? `<!doctype html><title>${model}</title><h1>Report of ${model}</h1>`, 'text/html'),
        examined: { ...unread, kind: 'model' },
        examinedItems: { ...unread, kind: 'preprocessor' },
        seen: { rows: unread, splits: [] },
        ...(histories === undefined ? {} : { history: await put('snapshot', gzipSync(histories), 'application/gzip') }),
        metrics,
        baselines: {},
      },
      author,
    );
    const { champion } = await registry.state(place);
    const verdict = { name: 'better', reasons: [], metric: 'ndcg@10', value: metrics['ndcg@10'] ?? 0, gains } as const;
    await registry.judged(place, { version, verdict, against: champion }, author);
    return { version, digest: pack.sha256, manifest };
  }

  async function promote(place: Place, version: number): Promise<void> {
    const { champion } = await registry.state(place);
    // A run of its own each time: promoting an old version again is no retry.
    const run = { workflowId: `deploy/${place.model}/${place.segment}`, runId: crypto.randomUUID() };
    await registry.promote(place, { version, expect: champion, verdict: 'better', reason: 'a test says so' }, { by: 'test', run });
  }

  async function release(given: Release): Promise<Registered> {
    const registered = await register(given);
    await promote({ model: given.model, segment: given.segment ?? 'all' }, registered.version);
    return registered;
  }

  return { folder, blobs, registry, register, promote, release, close: () => rm(folder, { recursive: true, force: true }) };
}

const encodingOf = (request: Request): TableEncoding => ({ format: 1, inputs: inputsOf(request), features: [] });

async function goldenOf(onnx: Uint8Array, items: number) {
  const session = await openSession(onnx);
  try {
    const question = { unit: '', values: [5], agesDays: [1], exclude: [], relevant: [] };
    return await makeGolden(
      session,
      [0, 1, 2].map((item) => recommendation.feeds({ ...question, items: [item % items] })),
    );
  } finally {
    await session.release();
  }
}
