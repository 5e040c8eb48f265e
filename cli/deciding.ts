import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Decider } from '../client/index.ts';
import type { ReadSubject } from '../core/decision.ts';
import { subjectOf } from '../core/registry.ts';
import type { SegmentState, VersionState } from '../core/registry-entry.ts';
import { publicKey, signingKey } from '../signing/keys.ts';
import { fromArguments, misuse } from './misuse.ts';
import { parseWritten } from './reference.ts';
import type { VerbOptions } from './verb.ts';
import type { Workplace } from './workplace.ts';

export interface DecidingFlags extends VerbOptions {
  readonly reason: string;
  readonly key?: string;
}

/** Why, and with which key: what every decision of a person is given. */
export const deciding = (command: Command): Command =>
  command
    .option('--reason <text>', 'why; it is kept in the log')
    .option('--key <file>', 'your private key in PEM, which signs the decision; or PERENNIAL_APPROVER_KEY, which names the file');

/** Who decides: the approver whose key it is, or without a key whoever is logged in. The key itself stays here. */
export async function deciderOf(at: Workplace, { reason, key: file = process.env['PERENNIAL_APPROVER_KEY'] }: DecidingFlags): Promise<Decider> {
  if (reason === undefined || reason.trim() === '') throw misuse('a decision needs a reason that others will read: --reason "…"');
  if (file === undefined || file === '') return { by: at.by, reason };
  const pem = await readFile(file, 'utf8').catch((error: Error) => {
    throw misuse(`the key cannot be read: ${error.message}`);
  });
  const key = fromArguments(() => signingKey(pem, file));
  const approvers = Object.entries(at.settings.security.approvers ?? {});
  const names = await Promise.all(
    approvers.map(async ([name, { publicKey: own }]) => {
      const { fingerprint } = publicKey(await readFile(own, 'utf8'), own);
      return fingerprint === key.publicKey.fingerprint ? name : undefined;
    }),
  );
  const by = names.find((name) => name !== undefined);
  if (approvers.length > 0 && by === undefined) {
    throw misuse(`${file} is the key of none of the approvers ${approvers.map(([name]) => name).join(', ')} of the configuration`);
  }
  return { by: by ?? at.by, reason, sign: (text) => Buffer.from(key.sign(Buffer.from(text))).toString('base64') };
}

/** A version that must be named by its number, so that nobody decides about another one than they looked at. */
export async function namedVersion(at: Workplace, text: string): Promise<{ readonly state: SegmentState; readonly version: VersionState }> {
  const { at: number } = parseWritten(text);
  if (typeof number !== 'number') throw misuse(`"${text}" does not say which version: write it with its number, such as ${text.split('@')[0]}@3`);
  const { registry } = await at.kept();
  const { version, ...place } = await registry.version(text);
  return { state: await registry.state(place), version };
}

/** What is done by hand is bound to today's champion. */
export const today = (state: SegmentState, version: VersionState): ReadSubject => subjectOf(state, version, state.champion);
