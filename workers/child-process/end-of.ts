import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const patienceMs = 1000;

/**
 * How a process ended, once all that it wrote has been read, which may be after its `exit`. Something that it left behind may hold its pipes open;
 * that is not waited for long. Call it at once after the start. Rejects when the process did not start.
 */
export async function endOf(child: ChildProcess): Promise<End> {
  const stopWaiting = new AbortController();
  // Both events may come in one go, so both are listened to from the start.
  const closed = once(child, 'close').catch(() => {});
  const [code, signal] = await once(child, 'exit');
  await Promise.race([closed, sleep(patienceMs, undefined, { signal: stopWaiting.signal }).catch(() => {})]);
  stopWaiting.abort();
  return { code, signal };
}
