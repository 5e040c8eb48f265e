import type { PayloadCodec } from '@temporalio/common';
import fastify from 'fastify';
import { payloadFromJson, payloadToJson } from '../client/encryption.ts';
import type { PayloadJson } from '../client/encryption.ts';
import { MlError } from '../core/errors.ts';
import { expectFree } from './ports.ts';

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  /** Addresses of the web UI, such as `http://127.0.0.1:8233`: pages of no other may ask. */
  readonly origins: readonly string[];
  /** Default: a free port. */
  readonly port?: number;
}

export interface CodecServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Histories come in pages, each payload of which may have 256 KiB. */
const bodyLimitBytes = 64 * 1024 * 1024;
const host = '127.0.0.1';

/**
 * Decrypts for Temporal's web UI, and encrypts what is typed there: `POST /decode` and `/encode` of `{ "payloads": [ … ] }`, as Temporal specifies. Only
 * this machine can reach it, and of the pages in its browser only those of `origins`: whoever is answered reads everything.
 *
 * @throws {MlError} `PortTaken`
 */
export async function startCodecServer({ codec, origins, port = 0 }: CodecServerOptions): Promise<CodecServer> {
  if (port !== 0) await expectFree(port, 'the codec server', '--port');
  const server = fastify({ logger: false, bodyLimit: bodyLimitBytes, forceCloseConnections: true });

  server.addHook('onRequest', async ({ headers, method }, reply) => {
    const { origin = '', host: asked = '' } = headers;
    // A foreign name that leads here would make its pages ours: only this machine's own names count.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(asked) || (origin !== '' && !origins.includes(origin))) {
      return reply.code(403).send({ message: 'this codec server answers the web UI of its own Temporal only' });
    }
    reply.header('vary', 'Origin');
    // The web UI may be set to send credentials along; none are asked for.
    if (origin !== '') reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' });
    if (method !== 'OPTIONS') return;
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'POST, OPTIONS',
        'access-control-allow-headers': 'Content-Type, X-Namespace',
        'access-control-max-age': '600',
        // A browser asks before a page of the network reaches into loopback.
        'access-control-allow-private-network': 'true',
      })
      .send();
  });
  server.setErrorHandler((error: Error & { readonly statusCode?: number }, _request, reply) => {
    if (error instanceof MlError) return reply.code(400).send({ code: error.code, message: error.message });
    const status = error.statusCode ?? 500;
    return reply.code(status).send({ message: status < 500 ? error.message : 'the payloads could not be turned' });
  });
  const route = (path: string, turn: PayloadCodec['decode']): void => {
    server.post<{ Body: { readonly payloads: readonly PayloadJson[] } }>(path, { schema }, async ({ body }) => ({
      payloads: (await turn(body.payloads.map(payloadFromJson))).map(payloadToJson),
    }));
    server.options(path, () => {});
  };
  route('/encode', codec.encode);
  route('/decode', codec.decode);

  const url = await server.listen({ port, host });
  return { url, close: () => server.close() };
}

const payload = {
  type: 'object',
  properties: { metadata: { type: 'object', additionalProperties: { type: 'string' } }, data: { type: 'string' } },
} as const;
const schema = { body: { type: 'object', required: ['payloads'], properties: { payloads: { type: 'array', items: payload } } } } as const;
