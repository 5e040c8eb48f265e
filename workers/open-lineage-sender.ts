import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenLineageConfig } from '../core/config.ts';
import { bearer } from '../core/connection.ts';
import type { ReadSecret } from '../core/connection.ts';
import { messageOf } from '../core/message-of.ts';
import type { Log } from '../core/step-context.ts';
import type { OpenLineageEvent } from '../lineage/open-lineage.ts';

/** Takes events away from runs. */
export interface OpenLineageSender {
  /** Never waits and never throws. */
  send(event: OpenLineageEvent): void;
  /** Gives what waits a moment to leave. */
  close(): Promise<void>;
}

/** Events that wait; later ones are dropped and counted. A training leaves some fifty. */
const mostWaiting = 10_000;
const answerWithinMs = 5000;
const [firstPauseMs, longestPauseMs] = [500, 30_000];
/** How long a worker that stops waits for its last events. */
const lastMomentMs = 2000;

/** An event that the other side will not take however often it is sent. */
class Refused extends Error {}

/** Sends events in their order, one at a time, to a file (a line each) or by HTTP. What cannot be sent is tried again, later and later. */
export function openOpenLineageSender(config: OpenLineageConfig, readSecret: ReadSecret, log: Pick<Log, 'warn'>): OpenLineageSender {
  const deliver = 'file' in config ? toFile(config.file) : toUrl(config, readSecret);
  const waiting: OpenLineageEvent[] = [];
  const stopped = new AbortController();
  let dropped = 0;
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    let pauseMs = firstPauseMs;
    for (let event = waiting[0]; event !== undefined && !stopped.signal.aborted; event = waiting[0]) {
      try {
        await deliver(event);
        pauseMs = firstPauseMs;
      } catch (error) {
        if (!(error instanceof Refused)) {
          if (pauseMs === firstPauseMs) log.warn('lineage events wait', { waiting: waiting.length, error: messageOf(error) });
          await sleep(pauseMs, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
          pauseMs = Math.min(longestPauseMs, pauseMs * 2);
          continue;
        }
        dropped += 1;
        log.warn('lineage event refused', { dropped, error: error.message });
      }
      waiting.shift();
    }
  }

  function start(): void {
    sending ??= sendAll().finally(() => {
      sending = undefined;
      // What came after the last look and before this.
      if (waiting.length > 0 && !stopped.signal.aborted) start();
    });
  }

  async function untilSent(): Promise<void> {
    while (sending !== undefined) await sending;
  }

  return {
    send(event) {
      if (waiting.length >= mostWaiting) {
        // Said once for each thousand: the log is for people.
        if (dropped++ % 1000 === 0) log.warn('lineage events dropped', { dropped });
        return;
      }
      waiting.push(event);
      start();
    },
    async close() {
      await Promise.race([untilSent(), sleep(lastMomentMs, undefined, { ref: false })]);
      stopped.abort();
      await untilSent();
      if (waiting.length + dropped > 0) log.warn('lineage events not sent', { dropped: dropped + waiting.length });
    },
  };
}

function toFile(path: string): (event: OpenLineageEvent) => Promise<void> {
  return async (event) => {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, `${JSON.stringify(event)}\n`);
  };
}

function toUrl(
  { url, token }: Extract<OpenLineageConfig, { readonly url: string }>,
  readSecret: ReadSecret,
): (event: OpenLineageEvent) => Promise<void> {
  return async (event) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: bearer(await readSecret(token), token) }) },
      body: JSON.stringify(event),
      // The token is for this address.
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    await response.body?.cancel();
    if (response.ok) return;
    const said = `${url} answered ${response.status}`;
    // Too slow, too many, or wrong for now: a token may be put right while we wait.
    if (response.status >= 500 || [401, 403, 404, 408, 429].includes(response.status)) throw new Error(said);
    throw new Refused(said);
  };
}
