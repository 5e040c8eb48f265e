import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchFor } from '../support/canaries.ts';

const unique = (): string => `canary-${randomBytes(18).toString('base64url')}`;
const pair = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
const [signer, approver, stranger] = [pair(), pair(), pair()];
const [key, oldKey] = [randomBytes(32), randomBytes(32)];
const brokenEnd = unique();

/** Of every kind that a reference may name, and of what Temporal and S3 are reached with; one that works, and those that do not. */
export const secrets = {
  token: unique(),
  echoToken: unique(),
  lineageToken: unique(),
  temporalKey: unique(),
  encryption: key.toString('base64'),
  oldEncryption: oldKey.toString('base64'),
  signing: signer.privateKey,
  approver: approver.privateKey,
  /** The API knows another one. */
  refusedToken: unique(),
  /** No header takes it: `fetch` would quote it. */
  brokenToken: `${unique()}\n${brokenEnd}`,
  /** Neither is a key. */
  shortKey: unique(),
  noPem: unique(),
  /** A good one, but of other payloads. */
  otherEncryption: randomBytes(32).toString('base64'),
  wrongS3Key: unique(),
};
export type Secret = keyof typeof secrets;

const lineOf = (pem: string): string => pem.split('\n')[1]!;
// A server of somebody else's may have a password that is a word.
const s3 =
  process.env['S3_TEST_ENDPOINT'] === undefined ? { s3Id: process.env['AWS_ACCESS_KEY_ID']!, s3Key: process.env['AWS_SECRET_ACCESS_KEY']! } : {};

export const search = searchFor({
  ...secrets,
  ...s3,
  brokenEnd,
  brokenStart: secrets.brokenToken.split('\n')[0]!,
  'encryption key itself': key.toString('latin1'),
  'encryption key in hex': key.toString('hex'),
  'old encryption key in hex': oldKey.toString('hex'),
  'line of the signing key': lineOf(secrets.signing),
  'line of the approver key': lineOf(secrets.approver),
});

/** References to the same secrets in both ways. The environment goes to processes as it is. */
export interface Planted {
  readonly env: Readonly<Record<string, string>>;
  inEnv(name: Secret): { readonly env: string };
  inFile(name: Secret): { readonly file: string };
  /** PEM files of the public halves; a stranger signs nothing. */
  readonly publicKeys: Readonly<Record<'signer' | 'approver' | 'stranger', string>>;
  remove(): Promise<void>;
}

export async function plant(): Promise<Planted> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-keys-'));
  for (const [name, value] of Object.entries(secrets)) await writeFile(join(folder, name), value);
  const publicKeys = { signer: join(folder, 'signer.pub'), approver: join(folder, 'approver.pub'), stranger: join(folder, 'stranger.pub') };
  for (const [name, { publicKey }] of Object.entries({ signer, approver, stranger })) await writeFile(join(folder, `${name}.pub`), publicKey);
  return {
    env: Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`CANARY_${name}`, value])),
    inEnv: (name) => ({ env: `CANARY_${name}` }),
    inFile: (name) => ({ file: join(folder, name) }),
    publicKeys,
    remove: () => rm(folder, { recursive: true }),
  };
}

/** A server that says back what it was told, which is how a token comes home in an error. */
export interface Echo {
  /** `host:port` */
  readonly host: string;
  /** Bodies that were sent here, with the path. */
  readonly received: readonly { readonly path: string; readonly authorization: string; readonly body: string }[];
  close(): void;
}

/** The path says how it answers: `/500`, `/html`, …; one with several, `/401/400/201`, gives each once and the last for ever. */
export async function startEcho(): Promise<Echo> {
  const received: { path: string; authorization: string; body: string }[] = [];
  const server: Server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const times = received.filter((each) => each.path === path).length;
      received.push({ path, authorization: authorizationOf(headers), body: Buffer.concat(chunks).toString() });
      const ways = path.slice(1).split('/');
      const how = ways[Math.min(times, ways.length - 1)]!;
      const said = authorizationOf(headers);
      const page = { error: said, data: [{ token: said }], next: `http://elsewhere.example/?token=${said}` };
      response.writeHead(/^\d+$/.test(how) ? Number(how) : 200, {
        'content-type': how === 'html' ? 'text/html' : 'application/json',
        'x-echo': said,
      });
      response.end(how === 'html' ? `<p>${said}</p>` : JSON.stringify(page));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => void server.close().closeAllConnections(),
  };
}

const authorizationOf = ({ authorization = '' }: IncomingHttpHeaders): string => authorization;
