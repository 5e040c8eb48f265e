import { mismatch, statementFormat, type Proof, type Signed, type Statement } from '../core/decision.ts';
import { MlError } from '../core/errors.ts';
import { subjectOf } from '../core/registry.ts';
import type { SegmentState, VersionState } from '../core/registry-entry.ts';
import { requireVersion } from '../registry/decisions.ts';
import { proofOf, standardRole } from '../registry/proof.ts';
import type { Ports } from './ports.ts';

/**
 * What a statement is about, as the log stands, and how its author is known.
 *
 * @throws {MlError} `ApprovalRefused` if it is about something else, or does not prove what policy asks for; `VersionUnknown`.
 */
export function checkStatement(
  { approvers }: Pick<Ports, 'approvers'>,
  state: SegmentState,
  signed: Signed,
  expected: readonly Statement['decision'][],
): { readonly version: VersionState; readonly proof: Proof } {
  const { statement } = signed;
  const version = requireVersion(state, statement.version);
  // An answer is about the champion that the verdict is about; what is done by hand, about today's, which the registry compares when it appends.
  const isAnswer = statement.decision === 'approved' || statement.decision === 'rejected';
  const isKnown = statement.format === statementFormat && expected.includes(statement.decision);
  const wrong = isKnown
    ? mismatch(statement, subjectOf(state, version, isAnswer ? (version.against ?? null) : statement.expect))
    : `it is a "${statement.format}" that says "${statement.decision}", not a "${statementFormat}" that says ${expected.join(' or ')}`;
  if (wrong !== undefined) {
    throw new MlError('ApprovalRefused', `the statement of "${statement.by}" does not hold: ${wrong}. Look again, and decide anew`, { statement });
  }
  return { version, proof: proofOf(signed, version.approval?.role ?? standardRole, approvers) };
}
