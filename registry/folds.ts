import { messageOf } from '../core/message-of.ts';
import { sha256 } from '../stores/digest.ts';
import { key } from '../stores/key.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { readObjects } from '../stores/read-object.ts';
import { seal, unseal } from '../stores/sealed.ts';
import type { Link } from './log.ts';

/** So many entries of a log lie once more in one object. */
export const entriesPerFold = 64;

const newline = 10;

/** Where the fold lies that ends with entry `end` of a log `models/<model>/<segment>/log`. It is named by number, so that nobody has to list folds. */
export const foldKey = (log: string, end: number): Key =>
  key(`folded/${log.replaceAll(/^models\/|\/log$/g, '')}/${String(end).padStart(12, '0')}.jsonl`);

/** A fold's bytes: those of its entries, as they lie in the log, each with a newline. It holds nothing that the log does not. */
export const foldOf = (bodies: readonly Uint8Array[]): Uint8Array => Buffer.concat(bodies.flatMap((body) => [body, Buffer.of(newline)]));

/** The entries' bytes in a fold; none if it was cut off. */
export function unfold(fold: Uint8Array): readonly Uint8Array[] {
  const bodies: Uint8Array[] = [];
  let start = 0;
  for (let end = fold.indexOf(newline); end !== -1; end = fold.indexOf(newline, start)) {
    bodies.push(fold.subarray(start, end));
    start = end + 1;
  }
  return start === fold.length ? bodies : [];
}

/** An entry as it was read: its bytes, and what they say; `undefined` if they are damaged. */
export interface ReadLink {
  readonly body: Uint8Array;
  readonly entry: Link | undefined;
}

/** The folds of one log: copies of its entries that make a long log quick to open. */
export interface Folds {
  /** These entries, in order: out of folds where they are there and proven, out of the log where not. `undefined` for one that is missing. */
  read(first: number, last: number): Promise<readonly (ReadLink | undefined)[]>;
  /** Writes what is missing of the folds of entries 1 to the last, whose SHA-256 is given. It never fails: nothing rests on a fold. */
  complete(entries: readonly Link[], lastDigest: string | null): Promise<void>;
}

/**
 * Folds need no trust. An entry names the SHA-256 of the one before it, so whatever entry follows a fold proves the fold's last line, that line the one before
 * it, and so on to the first; the last entry of a read is always read from the log itself. A fold that this does not prove is left aside with a warning, and
 * its entries are read.
 */
export function openFolds(store: ObjectStore, log: string, entryKey: (n: number) => Key): Folds {
  /** Ends of folds that stand, or that this process has tried to write. */
  const settled = new Set<number>();

  async function read(first: number, last: number): Promise<readonly (ReadLink | undefined)[]> {
    const entries = new Map<number, ReadLink | undefined>();
    const fetch = async (numbers: readonly number[]): Promise<void> => {
      const found = await readObjects(store, numbers.map(entryKey));
      for (const [at, n] of numbers.entries()) entries.set(n, found[at] && opened(found[at]));
    };
    const folded = await foldsWithin(first, last);
    await fetch(range(first, last).filter((n) => !folded.has(endOf(n))));
    // From the last to the first, since each is proven by what follows it.
    for (const [end, lines] of [...folded].reverse()) {
      const next = entries.get(end + 1)?.entry;
      if (next !== undefined && isProven(lines, next)) {
        for (const [at, line] of lines.entries()) entries.set(end - entriesPerFold + 1 + at, line);
        settled.add(end);
      } else {
        // Where the next entry is damaged, the log itself says so as soon as it is put together.
        if (next !== undefined) warn(`${foldKey(log, end)} in ${store.uri} holds other entries than its log, which is read instead`);
        await fetch(range(end - entriesPerFold + 1, end));
      }
    }
    return range(first, last).map((n) => entries.get(n));
  }

  /** By their ends, the folds that are there of those whose entries, and the one after them, are all wanted. */
  async function foldsWithin(first: number, last: number): Promise<ReadonlyMap<number, readonly ReadLink[]>> {
    const ends = range(first, last - 1).filter((n) => n % entriesPerFold === 0 && n - entriesPerFold >= first - 1);
    const keys = ends.map((end) => foldKey(log, end));
    const found = await readObjects(store, keys).catch((error: unknown) => {
      warn(`folds of ${log} in ${store.uri} cannot be read, so its entries are: ${messageOf(error)}`);
      return [];
    });
    return new Map(ends.flatMap((end, at) => (found[at] === undefined ? [] : [[end, unfold(found[at]).map(opened)]])));
  }

  async function complete(entries: readonly Link[], lastDigest: string | null): Promise<void> {
    // The log may grow while this waits.
    const { length } = entries;
    for (let end = entriesPerFold; end <= length; end += entriesPerFold) {
      if (settled.has(end)) continue;
      settled.add(end);
      const lines = entries.slice(end - entriesPerFold, end).map((entry) => ({ entry, body: seal(entry) }));
      // An entry of an older release may have had no seal: it cannot be written again to the byte.
      if (!isProven(lines, { previous: entries[end]?.previous ?? lastDigest })) continue;
      await settle(foldKey(log, end), foldOf(lines.map(({ body }) => body))).catch((error: unknown) =>
        warn(`${foldKey(log, end)} in ${store.uri} cannot be written, so its log stays slow to open: ${messageOf(error)}`),
      );
    }
  }

  /** A fold follows from its entries to the byte: what stands there otherwise is damaged. */
  async function settle(fold: Key, body: Uint8Array): Promise<void> {
    if (Buffer.from(body).equals(await store.settle(fold, body))) return;
    await store.remove(fold);
    await store.settle(fold, body);
  }

  return { read, complete };
}

/** Opens an entry's bytes, and judges nothing but their seal. */
export const opened = (body: Uint8Array): ReadLink => ({ body, entry: unseal<Link>(body) });

/** Whether these are the entries before one: it names the bytes of the last, and each those of the one before. */
const isProven = (lines: readonly ReadLink[], next: Pick<Link, 'previous'>): boolean =>
  lines.length === entriesPerFold && lines.every(({ body }, at) => (at + 1 < lines.length ? lines[at + 1]!.entry : next)?.previous === sha256(body));

/** The end of the fold that an entry belongs to. */
const endOf = (n: number): number => Math.ceil(n / entriesPerFold) * entriesPerFold;

const range = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);

const warn = (message: string): void => process.emitWarning(message, { code: 'PERENNIAL_FOLD' });
