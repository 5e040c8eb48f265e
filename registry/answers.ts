import { randomUUID } from 'node:crypto';
import { MlError } from '../core/errors.ts';
import { sha256 } from '../stores/digest.ts';
import { key } from '../stores/key.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, namesBelow, readObject } from '../stores/read-object.ts';

/** Which version answered a request. What was asked and answered is not kept. */
export interface Answer {
  readonly id: string;
  /** When it was asked for. */
  readonly at: string;
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  /** SHA-256 of the package. */
  readonly digest: string;
  readonly endpoint: string;
}

/**
 * An id that says when it was made (UUID version 7, RFC 9562): a served answer is found by its id from one listing of a few keys.
 *
 * Of a random UUID it keeps the random bits, which the runtime has ready, so that it costs a request nothing.
 */
export function timedId(now: number): string {
  const hex = now.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

/** When an id was made, in milliseconds; `undefined` if it does not say. */
function timeOf(id: string): number | undefined {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id)
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : undefined;
}

/** An id of the caller's own that can be kept, sent back in a header and asked for in a shell. */
export const isRequestId = (text: unknown): text is string => typeof text === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{7,99}$/.test(text);

const folder = 'predictions/';
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const digits = (ms: number): string => String(ms).padStart(13, '0');

/**
 * Where the answers of one server from `first` to `last` lie: the later time comes first, so that a listing can begin behind those that are too old. The
 * SHA-256 of the text comes last, so that an altered answer is noticed.
 */
export const answersKey = (first: number, last: number, server: string, text: string): Key =>
  key(`${folder}dt=${day(last)}/${digits(last)}_${digits(first)}_${server}_${sha256(text)}.jsonl`);

/** The SHA-256 that the name of such an object promises. */
export const answersDigest = (place: Key): string => /_([0-9a-f]{64})\.jsonl$/.exec(place)?.[1] ?? '';

/** A server writes what it answered this often; nothing that is written together lies further apart. */
export const answersEveryMs = 5000;
/** A clock that was set, or a server that slept. */
const slackMs = 60_000;

/**
 * The version that answered a request.
 *
 * An id that a server made says where to look: a listing and a read or two. One of a caller's own says nothing, so all answers are read, newest first.
 *
 * @throws {MlError} `PredictionUnknown`, `ArtifactCorrupt`
 */
export async function findAnswer(store: ObjectStore, id: string): Promise<Answer> {
  const at = timeOf(id);
  const damaged: Key[] = [];
  const found = (at === undefined ? undefined : await findAround(store, id, at, damaged)) ?? (await findAnywhere(store, id, damaged));
  if (found !== undefined) return found;
  if (damaged.length > 0) {
    throw new MlError(
      'ArtifactCorrupt',
      `no answer with the request id "${id}" can be read in ${store.uri}, where ${[...new Set(damaged)].join(', ')} was altered: restore it from a copy of the store`,
      { store: store.uri, damaged: [...new Set(damaged)] },
    );
  }
  throw new MlError(
    'PredictionUnknown',
    `no answer with the request id "${id}" is kept in ${store.uri}: a server writes its answers every ${answersEveryMs / 1000} s, so a new one may need a moment`,
    { id },
  );
}

async function findAround(store: ObjectStore, id: string, at: number, damaged: Key[]): Promise<Answer | undefined> {
  // What was answered just before midnight may have been written with the next day's.
  for (const date of new Set([day(at), day(at + answersEveryMs + slackMs)])) {
    const prefix = `${folder}dt=${date}/`;
    for await (const { key: place } of store.list(prefix, `${prefix}${digits(at)}` as Key)) {
      const [last = 0, first = 0] = place.slice(prefix.length).split('_').map(Number);
      if (last > at + answersEveryMs + slackMs) break;
      const answer = first <= at ? await findIn(store, place, id, damaged) : undefined;
      if (answer !== undefined) return answer;
    }
  }
  return undefined;
}

async function findAnywhere(store: ObjectStore, id: string, damaged: Key[]): Promise<Answer | undefined> {
  for (const date of (await namesBelow(store, folder)).reverse()) {
    for (const place of (await keysOf(store, `${folder}${date}/`)).reverse()) {
      const answer = await findIn(store, place, id, damaged);
      if (answer !== undefined) return answer;
    }
  }
  return undefined;
}

/** The last one, where a caller used an id twice. What was altered is noted, and hides no other answer; what was removed meanwhile has none. */
async function findIn(store: ObjectStore, place: Key, id: string, damaged: Key[]): Promise<Answer | undefined> {
  const body = await readObject(store, place);
  if (body === undefined) return undefined;
  if (sha256(body) !== answersDigest(place)) {
    damaged.push(place);
    return undefined;
  }
  const text = Buffer.from(body).toString('utf8');
  const line = text.split('\n').findLast((each) => each.startsWith(`{"id":"${id}",`));
  return line === undefined ? undefined : (JSON.parse(line) as Answer);
}

/** One line of such an object; the id comes first, so that the line is found without parsing the others. */
export const answerLine = ({ id, at, model, segment, version, digest, endpoint }: Answer): string =>
  `${JSON.stringify({ id, at, model, segment, version, digest, endpoint })}\n`;
