import { durationMs } from '../core/duration.ts';
import { formatReference } from '../core/registry.ts';
import type { VersionState } from '../core/registry-entry.ts';
import { proofText } from './alias-history.ts';
import { minute } from './words.ts';

/** Who decides about a version until when, and what they type. */
export function toApprove(model: string, segment: string, { version, approval }: VersionState): string {
  const reference = formatReference(model, segment, version);
  const until = approval && new Date(Date.parse(approval.since) + durationMs(approval.within)).toISOString();
  const who = approval && until ? ` of the role ${approval.role} until ${minute(until)} UTC` : '';
  return `v${version} awaits a decision${who}: perennial approve ${reference}, or reject`;
}

export function decisionText({ decision, by, at, entry, reason, proof }: NonNullable<VersionState['ruling']>): string {
  const known = proofText(proof);
  return `${decision} by ${by}${known === '' ? '' : ` (${known})`} at ${minute(at)} UTC, entry ${entry}: ${reason}`;
}
