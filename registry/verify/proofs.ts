import { canonical } from '../../core/canonical.ts';
import { mismatch, type Proof, type Statement } from '../../core/decision.ts';
import { groundsOf, overtaken } from '../../core/grounds.ts';
import { after, emptyState, resolveVersion, subjectOf } from '../../core/registry.ts';
import type { Command, Entry, SegmentState } from '../../core/registry-entry.ts';
import { type Approvers, signedBy, standardRole } from '../proof.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';

type Wrong = Omit<Finding, 'object'>;

/**
 * Whether each decision of a person is signed by an approver with the role that it takes, says what its entry says, held when it was written, and is
 * there once; and whether what came without a person had grounds in the log.
 */
export function checkProofs(facts: Facts, approvers: Approvers): void {
  for (const [log, read] of facts.logs) {
    const [model, segment] = log.split('/') as [string, string];
    let state = emptyState(model, segment);
    const before: Entry[] = [];
    for (const { place, entry } of [...read.values()].toSorted((a, b) => a.entry.n - b.entry.n)) {
      const wrong = wrongWith(state, before, entry, approvers);
      if (wrong !== undefined) facts.findings.push({ object: place, ...wrong });
      state = after(state, entry);
      before.push(entry);
    }
  }
}

function wrongWith(state: SegmentState, before: readonly Entry[], { command, by }: Entry, approvers: Approvers): Wrong | undefined {
  const said = saidBy(command);
  if (said === undefined) return undefined;
  const { proof, ...saying } = said;
  const version = resolveVersion(state, saying.version);
  if (version === undefined) return { problem: 'altered', what: `it is about version ${saying.version}, which was not registered before it` };
  if (command.kind === 'promoted' && proof === undefined) {
    if (state.champion === command.expect && groundsOf(version, command.expect) === command.verdict) return undefined;
    return { problem: 'unsigned', what: `nobody signed the promotion of version ${command.version}, and nothing in the log lets it through` };
  }
  if (proof?.how !== 'signature') return { problem: 'unsigned', what: `the decision of "${by}" (${saying.decision}) is not signed` };

  const { statement, signature, key } = proof;
  const whose = `the decision of "${statement.by}"`;
  const mismatched = mismatch(statement, subjectOf(state, version, saying.expect)) ?? unlike(statement, { ...saying, by });
  if (mismatched !== undefined) return { problem: 'altered', what: `${whose} was taken from elsewhere: ${mismatched}` };
  if (before.some((it) => isSame(it.command, statement))) return { problem: 'altered', what: `${whose} was used before: it counts once` };
  const stale = overtaken(statement, before);
  if (stale !== undefined) return { problem: 'altered', what: `${whose} did not hold any more: ${stale}` };

  const approver = approvers.get(statement.by);
  if (approver?.key.fingerprint !== key) {
    const expected = approver?.key.fingerprint ?? `one of ${[...approvers.keys()].join(', ')}`;
    return { problem: 'untrusted', what: `${whose} is signed by another key`, expected, found: key };
  }
  if (!signedBy(approver.key, statement, signature)) {
    return { problem: 'altered', what: `the signature of "${statement.by}" does not hold for their decision` };
  }
  const role = version.approval?.role ?? standardRole;
  if (approver.roles.includes(role)) return undefined;
  return { problem: 'untrusted', what: `${whose} takes another role than theirs`, expected: role, found: approver.roles.join(', ') };
}

/** What an entry says that somebody decided, in the words of a statement; `undefined` where nobody has to. */
function saidBy(
  command: Command,
): (Pick<Statement, 'decision' | 'version' | 'expect' | 'reason'> & { readonly proof: Proof | undefined }) | undefined {
  if (command.kind === 'decided') {
    const { decision, version, expect, reason, proof } = command;
    return decision === 'approved' || decision === 'rejected' ? { decision, version, expect, reason, proof } : undefined;
  }
  if (command.kind === 'promoted') {
    const { version, expect, reason, proof } = command;
    return { decision: 'promoted', version, expect, reason, proof };
  }
  if (command.kind !== 'rolledBack') return undefined;
  const { to, from, reason, proof } = command;
  return { decision: 'rolledBack', version: to, expect: from, reason, proof };
}

function unlike(statement: Statement, said: Pick<Statement, 'decision' | 'reason' | 'by'>): string | undefined {
  const name = (['decision', 'by', 'reason'] as const).find((it) => statement[it] !== said[it]);
  return name && `its ${name === 'by' ? 'author' : name} is "${statement[name]}", not "${said[name]}"`;
}

const isSame = (command: Command, statement: Statement): boolean =>
  'proof' in command && command.proof?.how === 'signature' && canonical(command.proof.statement) === canonical(statement);
