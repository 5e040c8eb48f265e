import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MlError } from '../core/errors.ts';
import type { ModelFeatures } from './features/model-features.ts';
import type { LocalVersion, ServedModel } from './served-model.ts';
import { errorOf, type Asked, type ThreadCalls, type Told } from './thread-messages.ts';

/** A version in a thread. The thread may end by itself (out of memory, say): then `alive` is false, and whoever asks gets `NotServing`. */
export interface ThreadedModel extends ServedModel {
  readonly alive: boolean;
}

/**
 * Threads that stay when their version is gone. Starting one costs ten times more than loading a version of some megabytes, and would be felt by the
 * requests that are answered meanwhile; a swap needs one, and hands one back.
 */
const spareThreads = 2;

/** A thread takes some megabytes. A server of a thousand segments shares this many among them; one of a few models gives each its own. */
const mostThreads = 16;

/**
 * Versions in threads, so that neither loading nor inference ever stops the event loop that answers requests. A version is loaded in another thread
 * than the one that it replaces, which goes on answering.
 */
export class ModelThreads {
  readonly #threads = new Set<ModelThread>();
  #closed = false;

  /** @throws {MlError} what `loadModel` throws. */
  async load(local: LocalVersion, features?: ModelFeatures): Promise<ThreadedModel> {
    const { model, segment, version, digest, manifest } = local;
    const place = `${model}/${segment}`;
    const thread = this.#take(place);
    const number = thread.hold(place);
    try {
      await thread.ask(number, 'load', local);
    } catch (error) {
      await this.#drop(thread, number);
      throw error;
    }
    // So that the next version finds one, and its start does not fall into the swap.
    if (this.#idle().length === 0 && !this.#closed) this.#start();
    return {
      identity: { model, segment, version, digest },
      manifest,
      ...(features && { features }),
      get alive() {
        return thread.alive;
      },
      recommend: (request) => thread.ask(number, 'recommend', request),
      predict: async (rows) => thread.ask(number, 'predict', features?.fill(rows) ?? rows),
      items: (ids) => thread.ask(number, 'items', ids),
      findItems: (query, limit) => thread.ask(number, 'findItems', query, limit),
      findUsers: (query, limit) => thread.ask(number, 'findUsers', query, limit),
      user: (id, favourites) => thread.ask(number, 'user', id, favourites),
      release: async () => {
        if (thread.alive) await thread.ask(number, 'release');
        await this.#drop(thread, number);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle().map((thread) => this.#end(thread)));
  }

  #idle(): readonly ModelThread[] {
    return [...this.#threads].filter(({ alive, held }) => alive && held.size === 0);
  }

  /** An idle thread, or a new one; where there are enough, the one that holds least, but not the version that is to be replaced. */
  #take(place: string): ModelThread {
    for (const thread of this.#threads) if (!thread.alive) this.#threads.delete(thread);
    const free = this.#idle()[0] ?? this.#start();
    if (free) return free;
    const others = [...this.#threads].filter(({ held }) => ![...held.values()].includes(place));
    return (others.length > 0 ? others : [...this.#threads]).reduce((least, thread) => (thread.held.size < least.held.size ? thread : least));
  }

  #start(): ModelThread | undefined {
    if (this.#threads.size >= mostThreads) return undefined;
    const thread = new ModelThread();
    this.#threads.add(thread);
    return thread;
  }

  async #drop(thread: ModelThread, number: number): Promise<void> {
    thread.held.delete(number);
    if (thread.held.size === 0 && (this.#closed || this.#idle().length > spareThreads)) await this.#end(thread);
  }

  async #end(thread: ModelThread): Promise<void> {
    this.#threads.delete(thread);
    if (thread.alive) await thread.end();
  }
}

/** A call's way to a thread and back. */
class ModelThread {
  readonly #worker = new Worker(threadModule(), { execArgv: [] });
  readonly #waiting = new Map<number, { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }>();
  readonly #ended: Promise<void>;
  #next = 0;
  #versions = 0;
  #crash: Error | undefined;
  alive = true;
  /** The versions that are loaded or being loaded here: their numbers, and the places that they are of. */
  readonly held = new Map<number, string>();

  constructor() {
    this.#worker.on('message', (told: Told) => {
      const asker = this.#waiting.get(told.id);
      this.#waiting.delete(told.id);
      if ('failure' in told) asker?.reject(errorOf(told.failure));
      else asker?.resolve(told.value as never);
    });
    this.#worker.on('error', (error) => (this.#crash = error as Error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.alive = false;
        for (const { reject } of this.#waiting.values()) reject(this.#gone());
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Reserves a number for a version. */
  hold(place: string): number {
    const number = this.#versions++;
    this.held.set(number, place);
    return number;
  }

  ask<C extends keyof ThreadCalls>(version: number, call: C, ...input: Parameters<ThreadCalls[C]>): ReturnType<ThreadCalls[C]> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return reject(this.#gone());
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, version, call, input } satisfies Asked);
    }) as ReturnType<ThreadCalls[C]>;
  }

  async end(): Promise<void> {
    this.#worker.postMessage('end');
    await this.#ended;
  }

  #gone(): MlError {
    const why = this.#crash ? `: ${this.#crash.message}` : '';
    return new MlError('NotServing', `the thread of this version ended${why}; it is started again shortly`, {}, { cause: this.#crash });
  }
}

/** Node 20 cannot run `.ts`, and threads do not go through a test runner's transform: a thread runs the compiled module, wherever we run from. */
function threadModule(): string {
  const here = import.meta.url;
  const path = fileURLToPath(new URL(here.endsWith('.ts') ? '../dist/serving/model-thread.js' : './model-thread.js', here));
  if (!existsSync(path)) throw new MlError('Bug', `the compiled module ${path} is missing: run \`npm run build\` first`);
  return path;
}
