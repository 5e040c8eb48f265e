import { randomUUID } from 'node:crypto';
import { answerLine, answersEveryMs, answersKey } from '../registry/answers.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import type { VersionIdentity } from './served-model.ts';

/** Answers of one object: about a megabyte. */
const largestBatch = 4000;
/** Batches that wait while the store is away; what comes then is dropped, so that memory stays bounded. */
const mostWaiting = 16;

interface Batch {
  first: number;
  last: number;
  readonly lines: string[];
}

export interface AnswerLogEvents {
  dropped(answers: number): void;
  failed(error: unknown): void;
}

/**
 * Writes down which version answered which request, beside the requests: they only add a line to a list. A killed server loses what it answered since
 * it wrote last, at most a few seconds; a store that is away longer than the buffer lasts costs the newest answers, which are counted.
 */
export class AnswerLog {
  readonly #store: ObjectStore;
  readonly #events: AnswerLogEvents;
  readonly #server = randomUUID().slice(0, 8);
  readonly #waiting: Batch[] = [];
  readonly #timer: NodeJS.Timeout;
  #batch: Batch | undefined;
  #writing: Promise<void> | undefined;

  constructor(store: ObjectStore, events: AnswerLogEvents, everyMs: number = answersEveryMs) {
    this.#store = store;
    this.#events = events;
    this.#timer = setInterval(() => void this.flush(), everyMs).unref();
  }

  record(id: string, { model, segment, version, digest }: VersionIdentity, endpoint: string, askedAt: number): void {
    if (this.#batch !== undefined && this.#batch.lines.length === largestBatch) void this.flush();
    const batch = (this.#batch ??= { first: askedAt, last: askedAt, lines: [] });
    batch.first = Math.min(batch.first, askedAt);
    batch.last = Math.max(batch.last, askedAt);
    batch.lines.push(answerLine({ id, at: new Date(askedAt).toISOString(), model, segment, version, digest, endpoint }));
  }

  /** Writes what waits, as far as the store takes it. Never throws. */
  flush(): Promise<void> {
    if (this.#batch !== undefined) {
      if (this.#waiting.length < mostWaiting) this.#waiting.push(this.#batch);
      else this.#events.dropped(this.#batch.lines.length);
      this.#batch = undefined;
    }
    return (this.#writing ??= this.#write().finally(() => (this.#writing = undefined)));
  }

  async #write(): Promise<void> {
    try {
      for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
        const text = batch.lines.join('');
        await this.#store.settle(answersKey(batch.first, batch.last, this.#server, text), Buffer.from(text));
        this.#waiting.shift();
      }
    } catch (error) {
      this.#events.failed(error);
    }
  }

  /** Writes the rest. What the store does not take is counted as dropped. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    // One that is under way may have begun before the last answers came.
    await this.#writing;
    await this.flush();
    for (const { lines } of this.#waiting.splice(0)) this.#events.dropped(lines.length);
  }
}
