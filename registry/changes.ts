import { randomUUID } from 'node:crypto';
import { key } from '../stores/key.ts';
import type { Call, Key, ObjectStore } from '../stores/object-store.ts';

/** A log has a new entry. */
export interface Change {
  readonly model: string;
  readonly segment: string;
  readonly n: number;
}

/**
 * How far back a follower looks each time: clocks differ between writers, and a writer may take a while between choosing a key and having written it.
 */
const overlapMs = 60_000;

const day = (at: Date): string => at.toISOString().slice(0, 10);
const milliseconds = (at: Date): string => String(at.getTime()).padStart(13, '0');

/** Tells followers that a log grew. The key says all; the log is the truth, and this only a hint to look at it. */
export async function announce(store: ObjectStore, { model, segment, n }: Change, at: Date): Promise<void> {
  // A model's name has no "_", so a segment may have.
  const name = `${milliseconds(at)}_${n}_${model}_${segment}_.${randomUUID().slice(0, 8)}.json`;
  await store.settle(key(`changes/${day(at)}/${name}`), Buffer.from(`${JSON.stringify({ model, segment, n })}\n`));
}

/** What a hint's name says; `undefined` if it is no hint. */
export function changeOf(hint: Key): Change | undefined {
  const [, n, model, segment] = form.exec(hint) ?? [];
  return n === undefined || model === undefined || segment === undefined ? undefined : { model, segment, n: Number(n) };
}

const form = /\/\d{13}_(\d+)_([a-z0-9-]+)_(.+)_\.[0-9a-f]{8}\.json$/;

/** Follows all logs of a store by one listing. */
export interface Follower {
  /** What changed since the last call; the first call may repeat the last minute. */
  changes(call?: Call): Promise<readonly Change[]>;
}

/**
 * Each change is told once. A writer that dies between its entry and the hint leaves none, so whoever follows also reads the logs themselves now and
 * then.
 */
export function followChanges(store: ObjectStore, since: Date): Follower {
  let reached = since.getTime();
  let seen = new Set<Key>();
  return {
    async changes(call) {
      const began = Date.now();
      const from = new Date(reached - overlapMs);
      const found: Change[] = [];
      const recent = new Set<Key>();
      for await (const { key: hint } of store.list('changes/', `changes/${day(from)}/${milliseconds(from)}` as Key, call)) {
        recent.add(hint);
        const change = changeOf(hint);
        if (change !== undefined && !seen.has(hint)) found.push(change);
      }
      seen = recent;
      // Not the time of the newest hint: one writer's clock may run ahead, and after a busy minute its hints would be listed for ever.
      reached = Math.max(reached, began);
      return found;
    },
  };
}
