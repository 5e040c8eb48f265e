/**
 * The thread of one version: loads it, answers until it is told to end, releases it, and ends by itself. Ending it from outside while ONNX Runtime
 * runs would abort the whole process, so nobody does.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadModel } from './loaded-model.ts';
import type { LocalVersion, ServedModel } from './served-model.ts';
import { failureOf, type Asked, type Told } from './thread-messages.ts';

const port = parentPort!;
const tell = (message: Told) => port.postMessage(message);

async function answer(model: ServedModel, { id, call, input }: Asked): Promise<void> {
  try {
    const ask = model[call] as (...input: readonly unknown[]) => Promise<unknown>;
    tell({ id, value: await ask(...input) });
  } catch (error) {
    tell({ id, failure: failureOf(error) });
  }
}

try {
  const model = await loadModel(workerData as LocalVersion);
  const pending = new Set<Promise<void>>();
  port.on('message', async (message: Asked | 'end') => {
    if (message !== 'end') {
      const answered = answer(model, message).finally(() => pending.delete(answered));
      pending.add(answered);
      return;
    }
    await Promise.all(pending);
    await model.release();
    port.close();
  });
  tell({ loaded: true });
} catch (error) {
  tell({ loaded: false, failure: failureOf(error) });
  port.close();
}
