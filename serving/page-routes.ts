import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { MlError } from '../core/errors.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const headers = {
  // Nothing from anywhere else, nothing inline, in nobody's frame.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** The page lies beside this folder, in the source and in the compiled output alike: the build copies it. */
const folder = fileURLToPath(new URL('../page/', import.meta.url));

/** Serves the page: plain modules that the browser takes as they are, read once. */
export async function pageRoutes(app: FastifyInstance): Promise<void> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new MlError('Bug', `the page's folder ${folder} cannot be read: run \`npm run build\``, {}, { cause });
  });
  for (const name of names) {
    const type = mediaTypes[extname(name)];
    if (type === undefined) continue;
    const body = await readFile(join(folder, name));
    app.get(name === 'index.html' ? '/' : `/${name}`, async (_, reply) => reply.headers(headers).type(type).send(body));
  }
}
