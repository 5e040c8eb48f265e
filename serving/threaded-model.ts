import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MlError } from '../core/errors.ts';
import { describeVersion, type LocalVersion, type ServedModel } from './served-model.ts';
import { errorOf, type Call, type Told } from './thread-messages.ts';

/** A version in its own thread. It may end by itself (out of memory, say): then `alive` is false and whoever asks gets `NotServing`. */
export interface ThreadedModel extends ServedModel {
  readonly alive: boolean;
}

/** Node 20 cannot run `.ts`, and threads do not go through a test runner's transform: a thread runs the compiled module, wherever we run from. */
function threadModule(): string {
  const here = import.meta.url;
  const path = fileURLToPath(new URL(here.endsWith('.ts') ? '../dist/serving/model-thread.js' : './model-thread.js', here));
  if (!existsSync(path)) throw new MlError('Bug', `the compiled module ${path} is missing: run \`npm run build\` first`);
  return path;
}

/**
 * Loads a version in a thread of its own, so that neither loading nor inference ever stops the event loop that answers requests.
 *
 * @throws {MlError} what `loadModel` throws.
 */
export async function startModelThread(local: LocalVersion): Promise<ThreadedModel> {
  const thread = new Worker(threadModule(), { workerData: local, execArgv: [], name: describeVersion(local) });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let alive = true;
  let next = 0;
  let crash: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    thread.on('error', (error) => (crash = error as Error));
    thread.on('exit', () => {
      alive = false;
      for (const { reject } of waiting.values()) reject(gone());
      waiting.clear();
      resolve();
    });
  });
  const gone = () =>
    new MlError(
      'NotServing',
      `the thread of ${describeVersion(local)} ended${crash ? `: ${crash.message}` : ''}; it is started again shortly`,
      {},
      { cause: crash },
    );

  await new Promise<void>((resolve, reject) => {
    thread.on('message', (told: Told) => {
      if ('loaded' in told) return told.loaded ? resolve() : reject(errorOf(told.failure));
      const asker = waiting.get(told.id);
      waiting.delete(told.id);
      if ('failure' in told) asker?.reject(errorOf(told.failure));
      else asker?.resolve(told.value as never);
    });
    void ended.then(() => reject(gone()));
  });

  const ask = <C extends Call>(call: C, ...input: Parameters<ServedModel[C]>): ReturnType<ServedModel[C]> =>
    new Promise((resolve, reject) => {
      if (!alive) return reject(gone());
      const id = next++;
      waiting.set(id, { resolve, reject });
      thread.postMessage({ id, call, input });
    }) as ReturnType<ServedModel[C]>;

  const { model, segment, version, digest } = local;
  return {
    identity: { model, segment, version, digest },
    manifest: local.manifest,
    get alive() {
      return alive;
    },
    recommend: (request) => ask('recommend', request),
    findItems: (query, limit) => ask('findItems', query, limit),
    findUsers: (query, limit) => ask('findUsers', query, limit),
    user: (id, favourites) => ask('user', id, favourites),
    async release() {
      // Messages keep their order: the thread has taken every earlier request before it reads this one.
      thread.postMessage('end');
      await ended;
    },
  };
}
