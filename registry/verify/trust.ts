import { formatReference } from '../../core/registry.ts';
import type { SegmentState } from '../../core/registry-entry.ts';
import type { PublicKey } from '../../signing/keys.ts';
import { blobKey } from '../../stores/blobs.ts';
import type { Facts } from './facts.ts';

/**
 * Whether trusted keys signed what is served and what was run: each champion, the version before it that a rollback brings back, and every record of a run
 * since the first that was signed. Signatures are made before what they sign is written, so that none is missing after a crash.
 */
export function checkTrust(facts: Facts, states: readonly SegmentState[], trusted: readonly PublicKey[]): void {
  const names = trusted.map(({ fingerprint }) => fingerprint);
  const expected = names.join(', ');
  const signersOf = (subject: string): readonly string[] => (facts.signatures.get(subject) ?? []).map(({ by }) => by.fingerprint);
  const counts = (signers: readonly string[]): boolean => signers.some((signer) => names.includes(signer));
  function demand(object: string, subject: string, what: string): void {
    const signers = signersOf(subject);
    if (counts(signers)) return;
    const found = signers.length > 0 && { found: signers.join(', ') };
    facts.findings.push({ object, problem: found ? 'untrusted' : 'unsigned', what, expected, ...found });
  }

  for (const { model, segment, versions } of states) {
    for (const { version, status, package: pack } of versions) {
      if (status !== 'champion' && status !== 'previous') continue;
      demand(blobKey(pack.sha256), pack.sha256, `it is the package of ${formatReference(model, segment, version)}, ${status}`);
    }
  }
  const first = facts.runs
    .filter(({ digest }) => counts(signersOf(digest)))
    .reduce((at, { record }) => (record.archivedAt < at ? record.archivedAt : at), '~');
  for (const { place, record, digest } of facts.runs) {
    if (record.archivedAt >= first) demand(place, digest, `it is the record of run ${record.runId}, archived when runs were signed`);
  }
}
