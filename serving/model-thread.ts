/**
 * A thread that loads versions and answers with them. It ends by itself when it is told to: ending it from outside while ONNX Runtime runs would abort
 * the whole process.
 */
import { parentPort } from 'node:worker_threads';
import { loadModel } from './loaded-model.ts';
import type { ServedModel } from './served-model.ts';
import { failureOf, type Asked, type Told } from './thread-messages.ts';

const port = parentPort!;
const versions = new Map<number, { readonly model: ServedModel; readonly answering: Set<Promise<unknown>> }>();

async function perform({ version, call, input }: Asked): Promise<unknown> {
  if (call === 'load') {
    versions.set(version, { model: await loadModel(...(input as Parameters<typeof loadModel>)), answering: new Set() });
    return undefined;
  }
  const { model, answering } = versions.get(version)!;
  if (call === 'release') {
    // Messages keep their order: every request that came before has been taken, and is waited for.
    await Promise.all(answering);
    versions.delete(version);
    return model.release();
  }
  const asked = (model[call] as (...input: readonly unknown[]) => Promise<unknown>)(...input);
  const done = asked.catch(() => {}).finally(() => answering.delete(done));
  answering.add(done);
  return asked;
}

async function answer(asked: Asked): Promise<Told> {
  try {
    return { id: asked.id, value: await perform(asked) };
  } catch (error) {
    return { id: asked.id, failure: failureOf(error) };
  }
}

port.on('message', async (message: Asked | 'end') => {
  if (message === 'end') port.close();
  else port.postMessage(await answer(message));
});
