import type { Head, Statement } from './decision.ts';
import { isWorthy } from './gate.ts';
import type { Command, Entry, VerdictName, VersionState } from './registry-entry.ts';

/**
 * The verdict on which a version may come in the place of `expect` without a person: the last one, if it is about just that champion and lets the version
 * through, or leaves it to people who then approved. An approval adds to a verdict; it is none, so that it cannot outlive one that was lost since. What was
 * champion once had its promotion: to bring it back is for people.
 */
export function groundsOf({ verdict, against, approval, ruling, status }: VersionState, expect: number | null): VerdictName | undefined {
  const isApproved = ruling?.decision === 'approved';
  const isHeldBack = status === 'previous' || status === 'former' || (approval !== undefined && !isApproved);
  if (verdict === undefined || against !== expect || isHeldBack) return undefined;
  return isWorthy(verdict.name) || (verdict.name === 'not-comparable' && isApproved) ? verdict.name : undefined;
}

/**
 * Why a statement does not hold after these entries, in words; `undefined` if it does. It is about the log that its author had read, as far as they had
 * read it: not about the same version in another store, and, done by hand, not about a champion that went and came back since.
 */
export function overtaken({ head, version, decision }: Statement, entries: readonly Entry[]): string | undefined {
  const { n = 0, nonce }: Partial<Head> = head ?? {};
  if (nonce === undefined || entries.find((entry) => entry.n === n)?.nonce !== nonce) {
    return `it was said of another log than this one, in which entry ${n} is ${n === 0 ? 'none' : 'another'}`;
  }
  const isByHand = decision === 'promoted' || decision === 'rolledBack';
  const later = entries.find(({ n: at, command }) => at > n && (isAbout(command, version) || (isByHand && changesChampion(command))));
  return later && `entry ${later.n} came after it was said: ${later.command.kind}`;
}

const isAbout = (command: Command, version: number): boolean =>
  (command.kind === 'judged' || command.kind === 'decided') && command.version === version;

const changesChampion = ({ kind }: Command): boolean => kind === 'promoted' || kind === 'rolledBack' || kind === 'retired';
