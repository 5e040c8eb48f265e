/**
 * The lineage of many training runs: how long the index of it takes to build and to extend, and how long questions take with and without it.
 *
 * `node dist/bench/lineage.js [runs] [store]` prints one JSON object. Each run leaves eleven made records, three used ones, an archived history and a
 * version with its package, as `train` does. The store is a folder of its own unless a path or URI is given. Questions come from a process that has
 * seen nothing before, with an empty cache of blobs (cold), then again (warm).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artifact, ArtifactKind, MadeRecord, Run } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import { indexedExplanation } from '../lineage/indexed-explanation.ts';
import { indexedLineage } from '../lineage/indexed-lineage.ts';
import { openLineageIndex } from '../lineage/lineage-index.ts';
import { readManifest } from '../lineage/manifest.ts';
import { lineageOf } from '../registry/lineage.ts';
import { openRegistry } from '../registry/registry.ts';
import { openRunArchive } from '../registry/runs.ts';
import { openBlobs } from '../stores/blobs.ts';
import { provenanceDigest, sha256 } from '../stores/digest.ts';
import { key } from '../stores/key.ts';
import { announceRecord } from '../stores/lineage-feed.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { openStore } from '../stores/open-store.ts';
import { seal } from '../stores/sealed.ts';

const segments = 50;
const atOnce = 64;
/** So many of the runs are newer than the index. */
const newer = 20;

const kinds: readonly (readonly [step: string, kind: ArtifactKind])[] = [
  ['snapshotSource', 'source'],
  ['checkContract', 'contract'],
  ['buildRows', 'rows'],
  ['splitRows', 'split'],
  ['fitPreprocessing', 'features'],
  ['trainModel', 'model'],
  ['predictModel', 'predictions'],
  ['evaluateModel', 'evaluation'],
  ['benchmarkModel', 'benchmark'],
  ['writeReport', 'report'],
  ['composePackage', 'package'],
];

const runs = Number(process.argv[2] ?? 10_000);
const given = process.argv[3];
const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-lineage-'));
const uri = given ?? join(folder, 'store');
const start = Date.parse('2026-01-01T00:00:00Z');

const runOf = (n: number): Run => ({ runId: `run-${n}`, workflowId: `train/bench/store=${n % segments}`, workflowType: 'train' });
const artifactOf = <K extends ArtifactKind>(n: number, kind: K): Artifact<K> => ({
  kind,
  sha256: sha256(`${kind} ${n}`),
  bytes: 1000 + n,
  mediaType: 'text/plain',
});
const filesOf = (n: number) =>
  ['model', 'features', 'benchmark'].map((kind) => ({
    path: `${kind}.bin`,
    role: 'model',
    sha256: artifactOf(n, kind as ArtifactKind).sha256,
    bytes: 1000 + n,
    mediaType: 'text/plain',
  }));
const manifestOf = (n: number): Buffer => Buffer.from(canonical({ format: 1, model: 'bench', files: filesOf(n) }));
const packageOf = (n: number): Artifact<'package'> => ({ ...artifactOf(n, 'package'), sha256: sha256(manifestOf(n)) });

/** What a run made: each step from the one before it, and the first from the source of the run before it in its segment. */
function madeBy(n: number): MadeRecord[] {
  let before = sha256(`observation ${n}`);
  return kinds.map(([step, kind], at) => {
    const artifact = kind === 'package' ? packageOf(n) : artifactOf(n, kind);
    const provenance = {
      step,
      code: sha256(step).slice(0, 32),
      inputs: { before, ...(at > 2 && { rows: artifactOf(n, 'rows').sha256 }), spec: sha256('spec') },
      parameters: { window: { from: '2025-01-01', to: `2026-${n}` }, segment: `store=${n % segments}`, seed: 1 },
      environment: { onnxruntime: '1.30.0', platform: 'linux-x64' },
    };
    before = artifact.sha256;
    return { provenance, artifact, by: runOf(n), at: new Date(start + n * 60_000 + at * 1000).toISOString(), notes: { rows: n, ms: at * 17 } };
  });
}

async function leaveRun(at: Awaited<ReturnType<typeof open>>, n: number, announced: boolean): Promise<void> {
  const write = async (place: Key, record: object): Promise<void> => {
    await at.store.settle(place, seal(record));
    if (announced) await announceRecord(at.store, place);
  };
  const made = madeBy(n);
  const run = runOf(n);
  for (const record of made) await write(key(`made/${provenanceDigest(record.provenance)}/000001.json`), record);
  if (n >= segments) {
    for (const { provenance, artifact } of madeBy(n - segments).slice(0, 3)) {
      const digest = provenanceDigest(provenance);
      await write(key(`used/${run.runId}/${digest}.${artifact.kind}.json`), { provenance: digest, artifact, by: run, at: made[0]!.at });
    }
  }
  await at.store.settle(
    key(`runs/${run.runId}/history-000000000060.json`),
    seal({
      ...run,
      lastEvent: 60,
      outcome: { status: 'completed', result: { outcome: 'promoted', version: 1 } },
      startedAt: made[0]!.at,
      closedAt: made.at(-1)!.at,
      archivedAt: made.at(-1)!.at,
      history: { sha256: sha256('history'), bytes: 7 },
    }),
  );
  if (announced) await announceRecord(at.store, key(`runs/${run.runId}/history-000000000060.json`));
  await at.blobs.putBytes(manifestOf(n));
  const place = { model: 'bench', segment: `store=${n % segments}` };
  const author = { by: 'bench', run };
  const { version } = await at.registry.register(
    place,
    {
      package: packageOf(n),
      window: { from: '2025-01-01', to: '2026-01-01' },
      rows: n,
      observed: {},
      spec: artifactOf(0, 'spec'),
      evaluation: artifactOf(n, 'evaluation'),
      report: artifactOf(n, 'report'),
      examined: artifactOf(n, 'model'),
      examinedItems: { ...artifactOf(n, 'features'), kind: 'preprocessor' },
      seen: { rows: artifactOf(n, 'rows'), splits: [artifactOf(n, 'split')] },
      metrics: { 'ndcg@10': 0.1 },
      baselines: { popularity: { 'ndcg@10': 0.05 } },
    },
    author,
  );
  await at.registry.promote(place, { version, expect: (await at.registry.state(place)).champion, verdict: 'better', reason: 'bench' }, author);
}

/** As a new process sees the store. */
async function open(requests: Record<string, number> = {}) {
  const cache = await mkdtemp(join(folder, 'process-'));
  const store = counted(await openStore(uri), requests);
  const blobs = await openBlobs(store, join(cache, 'blobs'));
  const registry = openRegistry(store, blobs);
  return { store, blobs, registry, index: openLineageIndex({ store, blobs, registry, folder: cache }), runs: openRunArchive(store, blobs) };
}

function counted(store: ObjectStore, requests: Record<string, number>): ObjectStore {
  return new Proxy(store, {
    get(target, name: keyof ObjectStore) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...input: readonly unknown[]) => {
        requests[name] = (requests[name] ?? 0) + 1;
        return Reflect.apply(member, target, input) as unknown;
      };
    },
  });
}

async function leaveRuns(from: number, to: number, announced: boolean): Promise<void> {
  const at = await open();
  // Each segment's runs follow each other, as they do in life; segments do not wait for each other.
  const lane = async (first: number): Promise<void> => {
    for (let n = first; n < to; n += segments) if (n >= from) await leaveRun(at, n, announced);
  };
  await Promise.all(Array.from({ length: Math.min(segments, atOnce) }, (_, n) => lane(n)));
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const began = performance.now();
  const value = await work();
  return { ms: Math.round(performance.now() - began), value };
}

const call = { signal: new AbortController().signal, heartbeat: () => {} };
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function question(subject: string) {
  const requests: Record<string, number> = {};
  const at = await open(requests);
  const ask = () => indexedLineage(at.index, { registry: at.registry, store: uri }, subject);
  const cold = await timed(ask);
  const cost = { ...requests };
  return { coldMs: cold.ms, warmMs: (await timed(ask)).ms, requests: cost, ...cold.value.from };
}

const left = await timed(() => leaveRuns(0, runs - newer, false));
say(`${runs - newer} runs left their records in ${left.ms} ms`);
const built = await timed(async () => (await open()).index.extend(call));
say(`built in ${built.ms} ms`);
await leaveRuns(runs - newer, runs, true);
const middle = Math.floor(runs / 2);
const asked = {
  'an old version': await question(`bench/store=${middle % segments}@${Math.floor(middle / segments) + 1}`),
  'the newest version': await question(`bench/store=${(runs - 1) % segments}`),
  'a source, downstream': await question(artifactOf(middle, 'source').sha256),
  'a digest of ten digits': await question(artifactOf(middle, 'rows').sha256.slice(0, 10)),
};
const explained = await (async () => {
  const at = await open();
  return timed(() => indexedExplanation(at.index, at.store, `run-${middle}`));
})();
const extended = await timed(async () => (await open()).index.extend(call));
const scan = await timed(async () => {
  const at = await open();
  await lineageOf(at.store, at.registry, artifactOf(middle, 'source').sha256);
});
const { manifest } = await readManifest((await open()).store);
const result = {
  runs,
  records: built.value.records + extended.value.records,
  store: uri.replace(folder, ''),
  indexBuiltMs: built.ms,
  extendedByRuns: newer,
  extendedMs: extended.ms,
  index: {
    segments: manifest!.segments.length,
    rows: manifest!.segments.reduce((sum, { rows }) => sum + rows, 0),
    megabytes: Math.round(manifest!.segments.flatMap(({ tables }) => Object.values(tables)).reduce((sum, { bytes }) => sum + bytes, 0) / 1e6),
  },
  asked,
  explainCacheMs: explained.ms,
  scanMs: scan.ms,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
await rm(folder, { recursive: true, force: true });
