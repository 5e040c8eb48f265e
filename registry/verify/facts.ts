import type { MadeRecord } from '../../core/artifact.ts';
import type { Entry } from '../../core/registry-entry.ts';
import type { PublicKey } from '../../signing/keys.ts';
import type { SignedFile } from '../../signing/model-signature.ts';
import type { Key } from '../../stores/object-store.ts';
import type { ArchivedRun } from '../runs.ts';
import type { Seen } from '../seen.ts';
import type { Finding } from './finding.ts';

/** That somebody saw a log as far as this. */
export interface Witness extends Omit<Seen, 'sha256'> {
  readonly sha256?: string;
  /** The object that says so. */
  readonly says: Key;
}

/** What the objects of a store, each by itself, told; what they say of each other is checked when all were read. */
export interface Facts {
  /** Every object with its size, checked or not. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Blobs whose bytes were altered: what is in them is not asked. */
  readonly damaged: Set<string>;
  readonly made: { readonly place: Key; readonly record: MadeRecord }[];
  readonly runs: { readonly place: Key; readonly record: ArchivedRun; readonly digest: string }[];
  /** `model/segment` → entries that can be read, by number. */
  readonly logs: Map<string, Map<number, ReadEntry>>;
  readonly folds: ReadFold[];
  readonly witnesses: Witness[];
  /** Signatures that hold, by the SHA-256 of what they sign; of packages with the files that they list. */
  readonly signatures: Map<string, { readonly place: Key; readonly by: PublicKey; readonly files?: readonly SignedFile[] }[]>;
  /** What is not there whole, by its SHA-256: what it is to whoever names it, and which package has it as a file. */
  readonly named: Map<string, { readonly as: string; readonly owner?: string }[]>;
  readonly findings: Finding[];
}

export interface ReadEntry {
  readonly place: Key;
  readonly entry: Entry;
  /** SHA-256 of its bytes. */
  readonly digest: string;
}

/** Copies of a log's entries, up to entry `n`. */
export interface ReadFold {
  readonly place: Key;
  /** `model/segment`. */
  readonly log: string;
  readonly n: number;
  /** SHA-256 of the bytes of each entry in it. */
  readonly digests: readonly string[];
}

export const noFacts = (sizes: ReadonlyMap<string, number>): Facts => ({
  sizes,
  damaged: new Set(),
  made: [],
  runs: [],
  logs: new Map(),
  folds: [],
  witnesses: [],
  signatures: new Map(),
  named: new Map(),
  findings: [],
});
