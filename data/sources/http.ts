import { setTimeout as sleep } from 'node:timers/promises';
import { bearer } from '../../core/connection.ts';
import type { Connection, ReadSecret } from '../../core/connection.ts';
import { MlError } from '../../core/errors.ts';
import { messageOf } from '../../core/message-of.ts';
import type { DataContext } from '../duckdb.ts';

export interface HttpLimits {
  /** Tries of one request in all. */
  readonly attempts: number;
  readonly firstWaitMs: number;
  /** No wait is longer, not even one that `Retry-After` asks for. */
  readonly longestWaitMs: number;
  /** From sending a request to the last byte of its answer. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly maxRedirects: number;
}

export const defaultHttpLimits: HttpLimits = {
  attempts: 8,
  firstWaitMs: 250,
  longestWaitMs: 60_000,
  timeoutMs: 60_000,
  maxBodyBytes: 64 * 1024 * 1024,
  maxRedirects: 5,
};

/** How often a request that is open says that it lives. */
const heartbeatEveryMs = 1000;

export interface HttpAnswer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export type HttpConnection = Extract<Connection, { kind: 'http' }>;

/** Why a try failed in a way that another one may not. */
interface Setback {
  readonly why: string;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * A client that talks to the hosts of one connection only, with its token. It retries 429, 5xx and broken connections, waiting twice as long each
 * time or as long as `Retry-After` says, and follows redirects to allowed hosts itself, so that the token goes nowhere else.
 *
 * `get` throws {MlError} `HostRefused`, `SourceRefused` (401, 403), `SourceInvalid` (other 4xx, an endless body), `SourceUnreachable` (tries used up).
 */
export async function httpClient(connection: HttpConnection, readSecret: ReadSecret, context: DataContext, limits: HttpLimits) {
  const { token } = connection;
  const headers = { accept: 'application/json', ...(token && { authorization: bearer(await readSecret(token), token) }) };
  const base = new URL(connection.baseUrl);

  function check(url: URL): void {
    const allowed = connection.allowedHosts.some((host) => host === url.host || host === url.hostname);
    const weaker = base.protocol === 'https:' && url.protocol !== 'https:';
    if (allowed && !weaker && /^https?:$/.test(url.protocol)) return;
    throw new MlError(
      'HostRefused',
      weaker
        ? `${url.origin} is not encrypted, but the connection is: use https`
        : `${url.origin} is not an allowed host of the connection (${connection.allowedHosts.join(', ')}): add it to "allowedHosts" if you trust it with the token`,
      { host: url.host, allowed: connection.allowedHosts },
    );
  }

  async function once(method: 'GET' | 'HEAD', start: URL): Promise<HttpAnswer | Setback> {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(limits.timeoutMs)]);
    // A slow answer may take longer than a heartbeat may be missed; `timeoutMs` ends one that never comes.
    const beating = setInterval(() => context.heartbeat?.(), heartbeatEveryMs);
    try {
      return await follow(method, start, signal);
    } finally {
      clearInterval(beating);
    }
  }

  async function follow(method: 'GET' | 'HEAD', start: URL, signal: AbortSignal): Promise<HttpAnswer | Setback> {
    let url = start;
    for (let hop = 0; hop <= limits.maxRedirects; hop++) {
      check(url);
      let response: Response;
      let body: string;
      try {
        response = await fetch(url, { method, headers, redirect: 'manual', signal });
        body = await text(response, url);
      } catch (cause) {
        if (cause instanceof MlError) throw cause;
        if (context.signal.aborted) throw new MlError('Cancelled', `the run was cancelled while reading ${url.origin}`, {}, { cause });
        return { why: broken(cause), cause };
      }
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location !== null) {
        url = new URL(location, url);
        continue;
      }
      if (response.status === 429 || response.status >= 500) {
        const retryAfterMs = retryAfter(response.headers.get('retry-after'));
        return { why: `it answered ${response.status}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
      }
      return { url, status: response.status, headers: response.headers, body };
    }
    throw new MlError('SourceInvalid', `${start.origin}${start.pathname} redirects more than ${limits.maxRedirects} times`, {});
  }

  async function text(response: Response, url: URL): Promise<string> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body ?? []) {
      bytes += (part as Uint8Array).byteLength;
      if (bytes > limits.maxBodyBytes) {
        throw new MlError(
          'SourceInvalid',
          `${url.origin}${url.pathname}: one answer is larger than ${limits.maxBodyBytes} bytes: ask for smaller pages`,
          {},
        );
      }
      parts.push(part as Uint8Array);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  async function send(method: 'GET' | 'HEAD', url: URL): Promise<HttpAnswer> {
    const place = `${url.origin}${url.pathname}`;
    for (let attempt = 1; ; attempt++) {
      const answer = await once(method, url);
      if ('status' in answer) {
        if (answer.status === 401 || answer.status === 403) {
          throw new MlError('SourceRefused', `${place} answered ${answer.status}: check the token of the connection, and what it may read`, {
            status: answer.status,
          });
        }
        return answer;
      }
      if (attempt >= limits.attempts) {
        throw new MlError(
          'SourceUnreachable',
          `${place} could not be read in ${attempt} tries; the last time ${answer.why}`,
          { attempts: attempt },
          answer,
        );
      }
      const wait = Math.min(answer.retryAfterMs ?? limits.firstWaitMs * 2 ** (attempt - 1), limits.longestWaitMs);
      await patiently(wait, `${place}: ${answer.why}; try ${attempt + 1} in ${Math.ceil(wait / 1000)} s`, context);
    }
  }

  return { base, send };
}

/** Waits, and says every second that it is alive. */
async function patiently(ms: number, note: string, context: DataContext): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    context.heartbeat?.({ step: 'waiting', note });
    await sleep(Math.min(left, 1000), undefined, { signal: context.signal }).catch((cause: unknown) => {
      throw new MlError('Cancelled', 'the run was cancelled while waiting for a source', {}, { cause });
    });
  }
}

/** Seconds, or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** `fetch` hides the reason one level down. */
function broken(thrown: unknown): string {
  const inner = (thrown as { cause?: unknown }).cause ?? thrown;
  const { code } = inner as { code?: unknown };
  return `the connection failed (${typeof code === 'string' ? code : messageOf(inner)})`;
}
