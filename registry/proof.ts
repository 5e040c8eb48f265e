import { readFile } from 'node:fs/promises';
import { type Proof, type Signed, type Statement, statementText } from '../core/decision.ts';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { publicKey, type PublicKey } from '../signing/keys.ts';

/** Somebody whose decisions count, with the key that proves that they are theirs. */
export interface KnownApprover {
  readonly key: PublicKey;
  readonly roles: readonly string[];
}

/** Who may promote and roll back where the spec names no role. */
export const standardRole = 'approver';

export type Approvers = ReadonlyMap<string, KnownApprover>;

/** Reads the approvers' public keys. @throws {MlError} `ConfigInvalid`, naming the file. */
export async function readApprovers(
  config: Readonly<Record<string, { readonly publicKey: string; readonly roles?: readonly string[] }>> | undefined,
): Promise<Approvers | undefined> {
  if (config === undefined) return undefined;
  const approvers = Object.entries(config).map(async ([name, { publicKey: file, roles = ['approver'] }]) => {
    const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new MlError('ConfigInvalid', `the public key of approver "${name}" cannot be read: ${messageOf(cause)}`, { file }, { cause });
    });
    return [name, { key: publicKey(pem, file), roles }] as const;
  });
  return new Map(await Promise.all(approvers));
}

/**
 * How the author of a statement is known. Where no approvers are configured everybody is taken at their word, and the entry says so.
 *
 * @throws {MlError} `ApprovalRefused` where there are, and none of them with this role signed it.
 */
export function proofOf({ statement, signature }: Signed, role: string, approvers: Approvers | undefined): Proof {
  if (approvers === undefined) return { how: 'claimed' };
  const { by } = statement;
  const refused = (why: string) => new MlError('ApprovalRefused', `the decision of "${by}" does not count: ${why}`, { by, role });
  const approver = approvers.get(by);
  if (approver === undefined) throw refused(`they are none of the approvers ${[...approvers.keys()].join(', ')}`);
  if (!approver.roles.includes(role)) throw refused(`it takes the role "${role}", and they have ${approver.roles.join(', ')}`);
  if (signature === undefined) throw refused('it is not signed; give your private key with --key or PERENNIAL_APPROVER_KEY');
  if (!signedBy(approver.key, statement, signature))
    throw refused(`the signature is not by their key ${approver.key.fingerprint}, or of another text`);
  return { how: 'signature', key: approver.key.fingerprint, signature, statement };
}

/** Whether a key signed just this statement: what an auditor asks of an entry that holds a proof. */
export const signedBy = (key: PublicKey, statement: Statement, signature: string): boolean =>
  key.verifies(Buffer.from(statementText(statement)), Buffer.from(signature, 'base64'));
