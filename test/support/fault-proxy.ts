import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What can happen to a request on its way to an object store and back. */
export type Fault =
  | { readonly kind: 'late'; readonly ms: number }
  /** Answered without the server, as one that is throttled or broken does. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** The server does what was asked, and its answer never arrives. */
  | { readonly kind: 'answer lost' }
  /** The connection ends while the request's body is under way. */
  | { readonly kind: 'cut upload' }
  | { readonly kind: 'flipped upload' }
  /** The connection ends after this share of the answer. */
  | { readonly kind: 'cut read'; readonly share: number }
  /** The answer is shorter, and its length is given accordingly: nobody can tell from the protocol. */
  | { readonly kind: 'short read'; readonly share: number }
  | { readonly kind: 'flipped byte'; readonly share: number };

export interface Asked {
  readonly method: string;
  /** Bucket and object, decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly bytes: number;
}

/** An HTTP proxy that does to requests what networks and servers do. Everything else passes through unchanged, signatures included. */
export interface FaultProxy {
  readonly endpoint: string;
  /** What the server did, in the order of its answers. */
  readonly passed: readonly Asked[];
  /** How many faults were injected. */
  readonly injected: number;
  /** From now on the first `times` attempts of each request that `hits` meet the fault. */
  inject(fault: Fault, times?: number, hits?: (asked: Asked) => boolean): void;
  /** No more faults, and a new list of what was passed. */
  heal(): void;
  close(): Promise<void>;
}

export async function startFaultProxy(endpoint: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(endpoint);
  let passed: Asked[] = [];
  let injected = 0;
  let fault: Fault | undefined;
  let most = 0;
  let hits: (asked: Asked) => boolean = () => true;
  let attempts = new Map<string, number>();

  /** The fault that this attempt meets. */
  function faultOf(asked: Asked): Fault | undefined {
    if (fault === undefined || !hits(asked)) return undefined;
    const same = `${asked.method} ${asked.path}?${asked.query}`;
    const attempt = (attempts.get(same) ?? 0) + 1;
    attempts.set(same, attempt);
    if (attempt > most) return undefined;
    injected++;
    return fault;
  }

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url!, endpoint);
    const asked = { method: incoming.method!, path: decodeURIComponent(pathname), query: searchParams, bytes: 0 };
    const now = faultOf(asked);
    if (now?.kind === 'cut upload') {
      await once(incoming, 'data');
      return void incoming.socket.destroy();
    }
    const body = await bytesOf(incoming);
    if (now?.kind === 'late') await sleep(now.ms);
    if (now?.kind === 'refused') {
      outgoing.writeHead(now.status, { 'content-type': 'application/xml' });
      return void outgoing.end(`<?xml version="1.0"?><Error><Code>${now.code}</Code><Message>it was injected</Message></Error>`);
    }
    if (now?.kind === 'flipped upload' && body.length > 0) body[body.length >> 1]! ^= 1;
    const [status, headers, content] = await passOn(incoming, body);
    passed.push({ ...asked, bytes: body.length });
    if (now?.kind === 'answer lost') return void outgoing.destroy();
    const cut = now && 'share' in now && content.length > 0 ? Math.min(content.length - 1, Math.floor(content.length * now.share)) : undefined;
    if (cut === undefined) return void outgoing.writeHead(status, headers).end(content);
    if (now!.kind === 'flipped byte') {
      content[cut]! ^= 1;
      return void outgoing.writeHead(status, headers).end(content);
    }
    const some = content.subarray(0, cut);
    if (now!.kind === 'short read') return void outgoing.writeHead(status, { ...headers, 'content-length': `${cut}` }).end(some);
    outgoing.writeHead(status, headers).write(some, () => setTimeout(() => outgoing.destroy(), 5));
  }

  function passOn(incoming: IncomingMessage, body: Buffer): Promise<[number, IncomingMessage['headers'], Buffer]> {
    // The whole body is here: nobody has to be asked whether to go on.
    const { expect: _, ...headers } = incoming.headers;
    return new Promise((resolve, reject) => {
      const out = request({ hostname, port, path: incoming.url, method: incoming.method, headers, agent: false }, (response) => {
        bytesOf(response).then((content) => resolve([response.statusCode!, response.headers, content]), reject);
      });
      out.on('error', reject).end(body);
    });
  }

  const server = createServer((incoming, outgoing) => {
    // Whoever hung up meanwhile is not told.
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get passed() {
      return passed;
    },
    get injected() {
      return injected;
    },
    inject(next, times = 2, which = () => true) {
      [fault, most, hits, attempts, injected] = [next, times, which, new Map(), 0];
    },
    heal() {
      [fault, passed] = [undefined, []];
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
