import { randomUUID } from 'node:crypto';
import { MlError } from '../core/errors.ts';
import { sha256 } from '../stores/digest.ts';
import { key } from '../stores/key.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf } from '../stores/read-object.ts';
import { seal } from '../stores/sealed.ts';
import { opened, openFolds, type ReadLink } from './folds.ts';

/** What makes entries a chain. The log fills it in. */
export interface Link {
  /** From 1, without gaps. */
  readonly n: number;
  /** SHA-256 of the previous entry's bytes. */
  readonly previous: string | null;
  /** Two writers never write equal bytes: who reads back its own has won. */
  readonly nonce: string;
}

/** An entry before it has its place. */
export type Draft<E extends Link> = Omit<E, keyof Link>;

/** An append-only log whose entries prove each other. */
export interface Log<E extends Link> {
  /**
   * All entries. What was read once is kept, so only what is new is fetched.
   *
   * @throws {MlError} `LogCorrupt`, naming the entry that is missing, torn, or does not continue the chain.
   */
  read(): Promise<readonly E[]>;
  /** The entries after one that is known, for whoever goes on from there: only they are fetched, and proved to follow each other. Throws as `read`. */
  after(n: number): Promise<readonly E[]>;
  /**
   * Appends what `decide` says, or nothing if it says nothing. It is asked again after every lost race, with the entries that won:
   * that is the compare-and-set, and the place where a retried writer finds its own earlier entry.
   */
  append(decide: (entries: readonly E[]) => Draft<E> | undefined): Promise<E | undefined>;
  /** The last entry that was read or appended here, by number and SHA-256 of its bytes; nothing is read for it. */
  head(): { readonly n: number; readonly sha256: string } | undefined;
}

/** Entries that a listing may lack because they were written beside it. */
const mostUnseen = 1000;

/** Opens the log whose entries are `<prefix>/<12 digits>.json`. */
export function openLog<E extends Link>(store: ObjectStore, prefix: string): Log<E> {
  const entries: E[] = [];
  let lastDigest: string | null = null;
  const keyOf = (n: number): Key => key(`${prefix}/${String(n).padStart(12, '0')}.json`);
  const numberOf = (entryKey: Key): number => Number(/\/(\d{12})\.json$/.exec(entryKey)?.[1] ?? 0);
  const folds = openFolds(store, prefix, keyOf);

  /** What an entry says, if it continues the chain. `previous` is `undefined` where the entry before it was not read. */
  function checked(n: number, found: ReadLink | undefined, previous: string | null | undefined): E {
    const entry = found?.entry as E | undefined;
    const broken = (what: string): MlError =>
      new MlError('LogCorrupt', `${keyOf(n)} in ${store.uri} ${what}: restore it from a copy of the store`, { store: store.uri, entry: keyOf(n) });
    if (found === undefined) throw broken('is missing, though later entries are there');
    if (entry === undefined) throw broken('was altered: it is no JSON, or its seal does not hold');
    if (entry.n !== n) throw broken(`says that it is entry ${entry.n}`);
    if (previous !== undefined && entry.previous !== previous) throw broken('does not continue the chain: it or the entry before it was altered');
    return entry;
  }

  /** Checks the next entry of the chain, and keeps it. */
  function take(n: number, found: ReadLink | undefined): void {
    if (n <= entries.length) return; // another reader of this process was faster
    entries.push(checked(n, found, lastDigest));
    lastDigest = sha256(found!.body);
  }

  /** All entries after a number, each with its own. A listing that ran beside a writer may lack one key and hold the next: go by the numbers. */
  async function fetchAfter(known: number): Promise<(readonly [n: number, found: ReadLink | undefined])[]> {
    const keys = await keysOf(store, `${prefix}/`, known === 0 ? undefined : keyOf(known));
    const last = keys.at(-1);
    if (last !== undefined && numberOf(last) - known > keys.length + mostUnseen) {
      throw new MlError(
        'LogCorrupt',
        `${last} in ${store.uri} lies far beyond the entries before it: remove it, or restore them from a copy of the store`,
        {
          store: store.uri,
          entry: last,
        },
      );
    }
    const found = last === undefined ? [] : await folds.read(known + 1, numberOf(last));
    return found.map((each, at) => [known + 1 + at, each]);
  }

  async function read(): Promise<readonly E[]> {
    for (const [n, found] of await fetchAfter(entries.length)) take(n, found);
    return [...entries];
  }

  async function after(known: number): Promise<readonly E[]> {
    if (known <= entries.length) return (await read()).slice(known);
    let previous: string | undefined;
    return (await fetchAfter(known)).map(([n, found]) => {
      const entry = checked(n, found, previous);
      previous = sha256(found!.body);
      return entry;
    });
  }

  async function append(decide: (entries: readonly E[]) => Draft<E> | undefined): Promise<E | undefined> {
    for (;;) {
      const current = await read();
      const draft = decide(current);
      if (draft === undefined) return undefined;
      const n = current.length + 1;
      if (n !== entries.length + 1) continue; // somebody in this process appended meanwhile
      const entry = { ...draft, n, previous: lastDigest, nonce: randomUUID() } as unknown as E;
      const body = Buffer.from(seal(entry));
      const standing = await store.settle(keyOf(n), body);
      take(n, opened(standing));
      if (!body.equals(standing)) continue;
      await folds.complete(entries, lastDigest);
      return entries[n - 1];
    }
  }

  return { read, after, append, head: () => (lastDigest === null ? undefined : { n: entries.length, sha256: lastDigest }) };
}
