import type { Artifact, ArtifactKind } from '../../core/artifact.ts';
import type { RegisteredVersion, Verdict } from '../../core/registry-entry.ts';
import { sha256 } from '../../stores/digest.ts';

/** An artifact whose content would be this text. */
export const artifact = <K extends ArtifactKind>(kind: K, content: string): Artifact<K> => ({
  kind,
  sha256: sha256(content),
  bytes: content.length,
  mediaType: 'application/octet-stream',
});

/** A version whose parts are named after `name`. */
export const registered = (name: string, pack: Artifact<'package'> = artifact('package', name)): RegisteredVersion => ({
  package: pack,
  window: { from: '2018-01-01', to: '2018-11-01' },
  rows: 100,
  observed: { ratings: 'etag-1' },
  spec: artifact('spec', 'spec'),
  evaluation: artifact('evaluation', `${name} evaluation`),
  report: artifact('report', `${name} report`),
  examined: artifact('model', `${name} examined`),
  examinedItems: artifact('preprocessor', `${name} items`),
  seen: { rows: artifact('rows', `${name} rows`), splits: [artifact('split', `${name} split`)] },
  metrics: { 'ndcg@10': 0.07 },
  baselines: { popularity: { 'ndcg@10': 0.05 } },
});

export const verdict = (name: Verdict['name']): Verdict => ({ name, reasons: [`it is ${name}`], metric: 'ndcg@10', value: 0.07, gains: [] });
