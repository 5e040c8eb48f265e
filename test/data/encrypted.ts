import { randomBytes } from 'node:crypto';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';

/** A key pair of age's: what opens files, and whom they are encrypted for. */
export interface AgeKeys {
  readonly identity: string;
  readonly recipient: string;
}

export async function ageKeys(): Promise<AgeKeys> {
  const identity = await generateIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

export async function encrypted(content: string | Uint8Array, ...keys: readonly AgeKeys[]): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const { recipient } of keys) encrypter.addRecipient(recipient);
  return encrypter.encrypt(typeof content === 'string' ? new TextEncoder().encode(content) : content);
}

export const pseudonymKey = (): string => randomBytes(32).toString('base64');
