import { setMaxListeners } from 'node:events';
import { exitCodes } from './failure.ts';

/** Work that the first Ctrl-C stops by its signal, so that it can clean up; the second one ends the process at once. Returns the exit code. */
export async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  // As many as work at once.
  setMaxListeners(0, stop.signal);
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}
