/**
 * A thread that loads one version at a time and answers with it. It ends by itself when it is told to: ending it from outside while ONNX Runtime runs
 * would abort the whole process.
 */
import { parentPort } from 'node:worker_threads';
import { loadModel } from './loaded-model.ts';
import type { ServedModel } from './served-model.ts';
import { failureOf, type Asked, type ThreadCalls, type Told } from './thread-messages.ts';

const port = parentPort!;
let model: ServedModel | undefined;
const answering = new Set<Promise<unknown>>();

const loaded: ThreadCalls = {
  async load(local) {
    model = await loadModel(local);
  },
  recommend: (request) => model!.recommend(request),
  items: (ids) => model!.items(ids),
  findItems: (query, limit) => model!.findItems(query, limit),
  findUsers: (query, limit) => model!.findUsers(query, limit),
  user: (id, favourites) => model!.user(id, favourites),
  /** Messages keep their order: every request that came before has been taken, and is waited for. */
  async release() {
    await Promise.all(answering);
    await model!.release();
    model = undefined;
  },
};

async function answer({ id, call, input }: Asked): Promise<Told> {
  const ask = loaded[call] as (...input: readonly unknown[]) => Promise<unknown>;
  try {
    const asked = ask(...input);
    if (call !== 'release') {
      const done = asked.catch(() => {}).finally(() => answering.delete(done));
      answering.add(done);
    }
    return { id, value: await asked };
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
}

port.on('message', async (message: Asked | 'end') => {
  if (message === 'end') port.close();
  else port.postMessage(await answer(message));
});
