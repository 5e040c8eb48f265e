import { downstreamOf, referenceOf, touchedBy } from '../../core/erase.ts';
import type { MadeRecord } from '../../core/artifact.ts';
import type { SegmentState } from '../../core/registry-entry.ts';
import { blobKey } from '../../stores/blobs.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { readContent } from './content.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';

/** What lies in each folder of a store but `blobs`, whose content may be anything. */
const kinds: Readonly<Record<string, string>> = {
  made: 'the record of what a step made',
  used: 'the record of what a run took from the cache',
  models: 'an entry of a log of versions',
  folded: 'a copy of entries of a log, which may be deleted: it is derived',
  runs: 'the record of a run',
  signatures: 'a signature',
  keys: 'the public key of whoever signed',
  seen: 'word of how far a log was seen',
  changes: 'a hint that a log grew',
  predictions: 'the record of which version answered what',
  index: 'a part of the index of lineage, which may be deleted: it is derived',
};

/**
 * Adds to each finding what its object is, and of content the versions that rest on it: made from it, judged by it or served with it. A hash tells nobody
 * whether to worry.
 */
export async function withBearing(store: ObjectStore, facts: Facts, states: readonly SegmentState[]): Promise<readonly Finding[]> {
  const bearing = await bearingOf(store, facts, states);
  return facts.findings.map((finding) => ({ ...finding, ...bearing(finding.object) }));
}

type Bearing = Pick<Finding, 'is' | 'versions'>;

async function bearingOf(store: ObjectStore, facts: Facts, states: readonly SegmentState[]): Promise<(object: string) => Bearing> {
  const made = facts.made.map(({ record }) => record);
  const isContent = facts.findings.some(({ object }) => object.startsWith('blobs/'));
  const modelsWith = isContent ? await modelsByOnnx(store, made) : new Map<string, readonly MadeRecord[]>();
  return (object) => {
    const sha256 = object.split('/').at(-1)!;
    if (object !== (/^[0-9a-f]{64}$/.test(sha256) ? blobKey(sha256) : '')) {
      const is = kinds[object.split('/')[0]!];
      return is === undefined ? {} : { is };
    }
    const named = facts.named.get(sha256) ?? [];
    const models = modelsWith.get(sha256) ?? [];
    const names = [
      ...named.map(({ as }) => as),
      ...made.filter(({ artifact }) => artifact.sha256 === sha256).map(madeText),
      ...models.map((record) => `ONNX file of the ${madeText(record)}`),
    ];
    const owners = [...named.flatMap(({ owner }) => owner ?? []), ...models.map(({ artifact }) => artifact.sha256)];
    const versions = touchedBy(states, downstreamOf(made, [sha256, ...owners])).map(referenceOf);
    return { is: names.length === 0 ? 'content that nothing names' : `the ${[...new Set(names)].join(', ')}`, versions };
  };
}

/** The models of the store by the file that is in each: no record is about the file. */
async function modelsByOnnx(store: ObjectStore, made: readonly MadeRecord[]): Promise<ReadonlyMap<string, readonly MadeRecord[]>> {
  const models = new Map<string, readonly MadeRecord[]>();
  for (const record of made.filter(({ artifact }) => artifact.kind === 'model')) {
    const { onnx } = (await readContent<{ readonly onnx?: { readonly sha256: string } }>(store, record.artifact.sha256)) ?? {};
    if (onnx !== undefined) models.set(onnx.sha256, [...(models.get(onnx.sha256) ?? []), record]);
  }
  return models;
}

/** `source ratings that snapshotSource made`. */
function madeText({ artifact, provenance: { step, parameters } }: MadeRecord): string {
  const source = artifact.kind === 'source' ? (parameters as { readonly source?: unknown } | null)?.source : undefined;
  return `${artifact.kind}${typeof source === 'string' ? ` "${source}"` : ''} that ${step} made`;
}
