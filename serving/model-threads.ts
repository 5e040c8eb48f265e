import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MlError } from '../core/errors.ts';
import type { LocalVersion, ServedModel } from './served-model.ts';
import { errorOf, type ThreadCalls, type Told } from './thread-messages.ts';

/** A version in a thread. The thread may end by itself (out of memory, say): then `alive` is false, and whoever asks gets `NotServing`. */
export interface ThreadedModel extends ServedModel {
  readonly alive: boolean;
}

/**
 * Threads that stay when their version is gone. Starting one costs ten times more than loading a version of some megabytes, and would be felt by the
 * requests that are answered meanwhile; a swap needs one, and hands one back.
 */
const spareThreads = 2;

/**
 * Versions in threads of their own, so that neither loading nor inference ever stops the event loop that answers requests. A version is loaded in
 * another thread than the one that it replaces, which goes on answering.
 */
export class ModelThreads {
  readonly #spare: ModelThread[] = [];
  #closed = false;

  /** @throws {MlError} what `loadModel` throws. */
  async load(local: LocalVersion): Promise<ThreadedModel> {
    const thread = this.#take();
    try {
      await thread.ask('load', local);
    } catch (error) {
      await this.#free(thread);
      throw error;
    }
    // So that the next version finds one, and its start does not fall into the swap.
    if (this.#spare.length === 0 && !this.#closed) this.#spare.push(new ModelThread());
    const { model, segment, version, digest, manifest } = local;
    return {
      identity: { model, segment, version, digest },
      manifest,
      get alive() {
        return thread.alive;
      },
      recommend: (request) => thread.ask('recommend', request),
      items: (ids) => thread.ask('items', ids),
      findItems: (query, limit) => thread.ask('findItems', query, limit),
      findUsers: (query, limit) => thread.ask('findUsers', query, limit),
      user: (id, favourites) => thread.ask('user', id, favourites),
      release: async () => {
        if (thread.alive) await thread.ask('release');
        await this.#free(thread);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#spare.splice(0).map((thread) => thread.end()));
  }

  #take(): ModelThread {
    for (let spare = this.#spare.pop(); spare; spare = this.#spare.pop()) if (spare.alive) return spare;
    return new ModelThread();
  }

  async #free(thread: ModelThread): Promise<void> {
    if (!thread.alive) return;
    if (!this.#closed && this.#spare.length < spareThreads) this.#spare.push(thread);
    else await thread.end();
  }
}

/** A call's way to a thread and back. */
class ModelThread {
  readonly #worker = new Worker(threadModule(), { execArgv: [] });
  readonly #waiting = new Map<number, { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }>();
  readonly #ended: Promise<void>;
  #next = 0;
  #crash: Error | undefined;
  alive = true;

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

  ask<C extends keyof ThreadCalls>(call: C, ...input: Parameters<ThreadCalls[C]>): ReturnType<ThreadCalls[C]> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return reject(this.#gone());
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, input });
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
