import type { Artifact } from '../../core/artifact.ts';
import { unlikeLog } from '../../core/as-logged.ts';
import type { PackageManifest } from '../../core/manifest.ts';
import { fold, formatReference } from '../../core/registry.ts';
import type { SegmentState, VersionState } from '../../core/registry-entry.ts';
import { fileDifferences } from '../../signing/model-signature.ts';
import { blobKey } from '../../stores/blobs.ts';
import { provenanceDigest } from '../../stores/digest.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { readObject } from '../../stores/read-object.ts';
import { unseal } from '../../stores/sealed.ts';
import { signedFilesOf } from '../signatures.ts';
import type { Facts } from './facts.ts';

type Content = Pick<Artifact, 'sha256' | 'bytes'>;

/** What a registry's logs say, as far as they can be read. */
export function statesOf(facts: Facts): readonly SegmentState[] {
  return [...facts.logs].map(([log, read]) => {
    const [model, segment] = log.split('/') as [string, string];
    const entries = [...read.values()].map(({ entry }) => entry).toSorted((a, b) => a.n - b.n);
    return fold(model, segment, entries);
  });
}

/** Whether all that records and versions name is there, in its size. That its bytes are right, its own check has said. */
export async function checkContent(store: ObjectStore, facts: Facts, states: readonly SegmentState[]): Promise<void> {
  const named = new Set<string>();
  const isWhole = ({ sha256, bytes }: Content): boolean => facts.sizes.get(blobKey(sha256)) === bytes && !facts.damaged.has(sha256);
  /** One finding an object, however many name it; what is altered was named already. */
  function need(content: Content, who: string, owner?: string): void {
    const place = blobKey(content.sha256);
    if (isWhole(content)) return;
    facts.named.set(content.sha256, [...(facts.named.get(content.sha256) ?? []), { as: who, ...(owner !== undefined && { owner }) }]);
    if (erased.has(content.sha256) || named.has(place) || facts.damaged.has(content.sha256)) return;
    named.add(place);
    const size = facts.sizes.get(place);
    const [problem, found] = size === undefined ? (['missing', {}] as const) : (['altered', { found: `${size} bytes` }] as const);
    facts.findings.push({ object: place, problem, what: `it is the ${who}`, expected: `${content.bytes} bytes`, ...found });
  }
  const erased = erasedOf(statesOf(facts));
  for (const { model, segment, versions } of states) {
    for (const version of versions) {
      // Its log says why its content is not there; what is there all the same, the checks of single objects have read.
      if (version.pruned !== undefined) continue;
      const reference = formatReference(model, segment, version.version);
      for (const [as, content] of contentOf(version)) need(content, `${as} of ${reference}`);
      if (isWhole(version.package)) await checkPackage(model, segment, reference, version);
      if (isWhole(version.examined)) {
        const onnx = (await readContent<{ readonly onnx?: Content }>(store, version.examined.sha256))?.onnx;
        if (onnx !== undefined) need(onnx, `examined model’s ONNX file of ${reference}`);
      }
    }
  }

  async function checkPackage(model: string, segment: string, reference: string, version: VersionState): Promise<void> {
    const pack = version.package;
    const manifest = await readContent<PackageManifest>(store, pack.sha256);
    const isManifest = manifest !== undefined && Array.isArray(manifest.files);
    const unlike = isManifest ? unlikeLog(manifest, model, segment, version) : { expected: `${model}/${segment}`, found: 'no manifest' };
    if (unlike !== undefined) {
      facts.findings.push({
        object: blobKey(pack.sha256),
        problem: 'altered',
        what: `the log says that it is the package of ${reference}`,
        ...unlike,
      });
    }
    if (!isManifest) return;
    for (const file of manifest.files) need(file, `file ${file.path} of ${reference}`, pack.sha256);
    for (const { place, files } of facts.signatures.get(pack.sha256) ?? []) {
      const differences = fileDifferences(files ?? [], signedFilesOf(pack.sha256, manifest));
      if (differences.length === 0) continue;
      facts.findings.push({ object: place, problem: 'altered', what: `it signs other files than ${reference} has: ${differences.join('; ')}` });
    }
  }

  for (const { record, place } of facts.runs) need(record.history, `history of run ${record.runId} (${place})`);
  const whole = new Set(
    facts.made.filter(({ record }) => facts.sizes.get(blobKey(record.artifact.sha256)) === record.artifact.bytes).map(({ record }) => callOf(record)),
  );
  for (const { record, place } of facts.made) {
    // A record whose content was lost is followed by a newer one.
    if (!whole.has(callOf(record))) need(record.artifact, `${record.artifact.kind} that ${record.provenance.step} made (${place})`);
  }
}

const callOf = ({ provenance, artifact }: Facts['made'][number]['record']): string => `${provenanceDigest(provenance)} ${artifact.kind}`;

/** The JSON object in a blob; `undefined` if it is missing or holds something else. */
export async function readContent<T extends object>(store: ObjectStore, digest: string): Promise<T | undefined> {
  return unseal<T>(await readObject(store, blobKey(digest)));
}

/** SHA-256 of all content that logs tell to be erased: it is not missing. */
export const erasedOf = (states: readonly SegmentState[]): ReadonlySet<string> =>
  new Set(states.flatMap(({ versions }) => versions.flatMap(({ erased = [] }) => erased.flatMap(({ content }) => content))));

/** What a version names, each with what it is to it. */
export function contentOf(version: VersionState): readonly (readonly [as: string, content: Content])[] {
  const { package: pack, spec, evaluation, report, examined, examinedItems, seen, history } = version;
  return [
    ['package', pack],
    ['spec', spec],
    ['evaluation', evaluation],
    ['report', report],
    ['examined model', examined],
    ['examined model’s encoding', examinedItems],
    ['rows', seen.rows],
    ...seen.splits.map((split) => ['split', split] as const),
    ...(history === undefined ? [] : [['history', history] as const]),
  ];
}
