import { formatReference } from '../../core/registry.ts';
import type { PublicKey } from '../../signing/keys.ts';
import type { Key, ObjectStore } from '../../stores/object-store.ts';
import type { Approvers } from '../proof.ts';
import { withBearing } from './bearing.ts';
import { checkContent, statesOf } from './content.ts';
import { noFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { checkFolds } from './folds.ts';
import { checkLogs } from './logs.ts';
import { objectChecks } from './objects.ts';
import { checkProofs } from './proofs.ts';
import { type Scope, scopeOf } from './scope.ts';
import { checkTrust } from './trust.ts';

export interface VerifyOptions {
  /** Whose signatures count. Without it signatures are checked by the keys that made them, and none is demanded. */
  readonly trusted?: readonly PublicKey[];
  /** Whose decisions count, by name. Without them the signatures of decisions are not checked: the store does not hold people's keys. */
  readonly approvers?: Approvers;
  /** A version, with all that it was made of, instead of the whole store. */
  readonly version?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Verified {
  readonly store: string;
  /** The version that was asked for, or `null` for the whole store. */
  readonly version: string | null;
  readonly objects: number;
  readonly bytes: number;
  readonly entries: number;
  readonly versions: number;
  readonly runs: number;
  readonly signatures: number;
  /** By object. Empty if everything is as it was written. */
  readonly findings: readonly Finding[];
}

/** Objects that are read at once. */
const concurrency = 16;

/**
 * Checks a store, or one version with all that it was made of, by what is in the store alone: every byte against its name or seal, every log against its
 * chain and against those who saw it, whatever is named against what is there, and the signatures. It finds all that is wrong, not the first.
 *
 * @throws {MlError} `VersionUnknown`, `ModelUnknown`, `RequestInvalid` for a version that is not there; `StoreUnavailable`.
 */
export async function verify(store: ObjectStore, { trusted, approvers, version, signal, onProgress }: VerifyOptions = {}): Promise<Verified> {
  const call = { ...(signal && { signal }) };
  const sizes = new Map<Key, number>();
  for await (const { key, bytes } of store.list('', undefined, call)) sizes.set(key, bytes);
  const scope: Scope | undefined = version === undefined ? undefined : await scopeOf(store, [...sizes.keys()], version);

  const facts = noFacts(sizes);
  const checkOf = objectChecks(store, facts);
  const places = scope === undefined ? [...sizes.keys()] : [...sizes.keys()].filter(scope.has);
  let next = 0;
  let done = 0;
  const checkSome = async (): Promise<void> => {
    for (let at = next++; at < places.length; at = next++) {
      await checkOf(places[at]!)(places[at]!, call);
      onProgress?.(++done, places.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, places.length) }, checkSome));

  const states = statesOf(facts);
  const asked = scope === undefined ? states : scope.only(states);
  checkLogs(facts, scope && `${scope.model}/${scope.segment}`);
  checkFolds(facts);
  await checkContent(store, facts, asked);
  if (trusted !== undefined) checkTrust(facts, asked, trusted);
  if (approvers !== undefined) checkProofs(facts, approvers);
  return {
    store: store.uri,
    version: scope === undefined ? null : formatReference(scope.model, scope.segment, scope.version),
    objects: places.length,
    bytes: places.reduce((sum, place) => sum + sizes.get(place)!, 0),
    entries: [...facts.logs.values()].reduce((sum, entries) => sum + entries.size, 0),
    versions: asked.reduce((sum, { versions }) => sum + versions.length, 0),
    runs: facts.runs.length,
    signatures: [...facts.signatures.values()].reduce((sum, list) => sum + list.length, 0),
    findings: (await withBearing(store, facts, asked)).toSorted((a, b) => (a.object < b.object ? -1 : a.object > b.object ? 1 : 0)),
  };
}
