import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService, Service } from '../../workers/supervisor.ts';

/** A service that is started again whenever it ends: a supervisor with endless patience. */
export interface Kept {
  /** When it came up last, by `performance.now()`; `undefined` while it is down. */
  upSince(): number | undefined;
  /** How often it ended by itself. */
  ends(): number;
  stop(): Promise<void>;
}

const pauseMs = 200;

/** Starts a service and keeps it up. `onDown` is told why it ended or did not start. */
export async function keep({ name, start }: Service, onDown: (name: string, why: string) => void = () => {}): Promise<Kept> {
  const stopping = new AbortController();
  let running: RunningService | undefined;
  let since: number | undefined;
  let ends = 0;

  async function life(): Promise<void> {
    try {
      running = await start(stopping.signal);
      since = performance.now();
      const why = await running.ended.then(
        (code) => `it ended with ${String(code)}`,
        (error: Error) => error.message,
      );
      ends++;
      if (!stopping.signal.aborted) onDown(name, why);
    } catch (error) {
      if (stopping.signal.aborted) return;
      onDown(name, `it did not start: ${String(error)}`);
      await sleep(pauseMs);
    } finally {
      since = undefined;
      running = undefined;
    }
  }

  const lives = (async () => {
    while (!stopping.signal.aborted) await life();
  })();
  while (since === undefined && !stopping.signal.aborted) await sleep(10);
  return {
    upSince: () => since,
    ends: () => ends,
    async stop() {
      stopping.abort();
      await running?.stop();
      await lives;
    },
  };
}
