import { type Proof, mismatch } from '../../core/decision.ts';
import type { Command } from '../../core/registry-entry.ts';
import { type Approvers, signedBy } from '../proof.ts';
import type { Facts } from './facts.ts';

/** Whether each decision that says it is signed was signed by the approver whom it names, about the log that it is in. */
export function checkProofs(facts: Facts, approvers: Approvers): void {
  for (const [log, entries] of facts.logs) {
    for (const { place, entry } of entries.values()) {
      const proof = proofIn(entry.command);
      if (proof?.how !== 'signature') continue;
      const { statement, signature, key } = proof;
      const [model, segment] = log.split('/') as [string, string];
      const wrong = mismatch(statement, { ...statement, model, segment });
      const approver = approvers.get(statement.by);
      if (wrong !== undefined) {
        facts.findings.push({ object: place, problem: 'altered', what: `the decision of "${statement.by}" was taken from elsewhere: ${wrong}` });
      } else if (approver?.key.fingerprint !== key) {
        const expected = approver?.key.fingerprint ?? `one of ${[...approvers.keys()].join(', ')}`;
        facts.findings.push({
          object: place,
          problem: 'untrusted',
          what: `the decision of "${statement.by}" is signed by another key`,
          expected,
          found: key,
        });
      } else if (!signedBy(approver.key, statement, signature)) {
        facts.findings.push({ object: place, problem: 'altered', what: `the signature of "${statement.by}" does not hold for their decision` });
      }
    }
  }
}

const proofIn = (command: Command): Proof | undefined => ('proof' in command ? command.proof : undefined);
