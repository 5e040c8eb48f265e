/**
 * A thread that ends this process, and its whole group, when its owner is gone: it listens to standard input, of which the owner holds the other
 * end. A thread, because the main thread may compute for minutes and hear nothing; a pipe, because it closes on kill -9 too. The thread has an
 * event loop of its own rather than a blocking read, since `process.exit` would wait for that.
 */
import { Socket } from 'node:net';
import { isMainThread, Worker } from 'node:worker_threads';

/** Starts the watch. The process must lead its own group (`detached`), have a pipe as standard input, and not read it. */
export function watchOwner(): void {
  new Worker(new URL(import.meta.url)).unref();
}

if (!isMainThread) {
  const killGroup = (): void => void process.kill(-process.pid, 'SIGKILL');
  new Socket({ fd: 0, writable: false }).on('error', killGroup).on('close', killGroup).resume();
}
