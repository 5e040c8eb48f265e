/**
 * A thread that ends this process, and its whole group, when its owner is gone: it blocks on standard input, which only the owner's end closes.
 * A thread, because the main thread may compute for minutes and hear nothing; a pipe, because it closes on kill -9 too.
 */
import { readSync } from 'node:fs';
import { isMainThread, Worker } from 'node:worker_threads';

/** Starts the watch. The process must lead its own group (`detached`), have a pipe as standard input, and not read it. */
export function watchOwner(): void {
  new Worker(new URL(import.meta.url)).unref();
}

if (!isMainThread) {
  const buffer = Buffer.alloc(64);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let open = true; open;) {
    try {
      open = readSync(0, buffer) > 0;
    } catch (error) {
      // A pipe that somebody made non-blocking says "not yet"; whatever else happens to it means that nobody holds the other end.
      open = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      if (open) Atomics.wait(pause, 0, 0, 100);
    }
  }
  process.kill(-process.pid, 'SIGKILL');
}
