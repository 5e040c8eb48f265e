import { key } from './key.ts';
import type { Key, ObjectStore, SmallObject } from './object-store.ts';

/** A record that was written, or is about to be. */
export interface Hint {
  readonly hint: Key;
  readonly record: Key;
  readonly at: Date;
}

/**
 * Names a record of lineage by the time when it is written: records lie under hashes, so that no listing says which are new. The index of lineage takes
 * hints away once it holds their records, so the feed stays short. A hint only hints: whoever lists all records finds the same.
 */
export async function announceRecord(store: ObjectStore, record: Key): Promise<void> {
  const { key: hint, body } = hintOf(record);
  await store.settle(hint, body);
}

/** The hint itself, for whoever writes it together with its record. */
export function hintOf(record: Key): SmallObject {
  const now = new Date().toISOString();
  return { key: key(`lineage-feed/${now.slice(0, 10)}/${Date.parse(now)}=${record.replaceAll('/', '=')}`), body: new Uint8Array() };
}

/** A record's key has three parts, and only the middle one may hold a "=" of its own. */
const form = /^lineage-feed\/[\d-]+\/(\d+)=([a-z]+)=(.+)=([^=]+)$/;

/** What was announced and not yet taken away, oldest first. */
export async function announcedRecords(store: ObjectStore): Promise<Hint[]> {
  const hints: Hint[] = [];
  for await (const { key: hint } of store.list('lineage-feed/')) {
    const [, at, folder, middle, name] = form.exec(hint) ?? [];
    if (at !== undefined) hints.push({ hint, record: key(`${folder}/${middle}/${name}`), at: new Date(Number(at)) });
  }
  return hints;
}
