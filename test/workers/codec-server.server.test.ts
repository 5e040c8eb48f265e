import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encryptionCodec } from '../../client/encryption.ts';
import type { PayloadJson } from '../../client/encryption.ts';
import { openCipher } from '../../stores/cipher.ts';
import { startCodecServer } from '../../workers/codec-server.ts';
import type { CodecServer } from '../../workers/codec-server.ts';

const origin = 'http://127.0.0.1:8233';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain: PayloadJson = { metadata: { encoding: base64('json/plain') }, data: base64('{"model":"films"}') };
let server: CodecServer;

beforeAll(async () => {
  const cipher = await openCipher({ current: 'k1', keys: { k1: { env: 'K1' } } }, async () => randomBytes(32).toString('base64'));
  server = await startCodecServer({ codec: encryptionCodec(cipher), origins: [origin] });
});
afterAll(() => server?.close());

const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = { origin }) =>
  fetch(`${server.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

test('what /encode encrypts /decode gives back, in order, and what is not encrypted passes', async () => {
  const encoded = (await (await post('/encode', { payloads: [plain, { ...plain, data: base64('"two"') }] })).json()) as { payloads: PayloadJson[] };
  expect(encoded.payloads.map(({ metadata }) => metadata)).toEqual(
    Array(2).fill({ encoding: base64('binary/encrypted'), 'encryption-key-id': base64('k1') }),
  );
  expect(JSON.stringify(encoded)).not.toContain(plain.data);
  const decoded = await (await post('/decode', { payloads: [...encoded.payloads, plain] })).json();
  expect(decoded).toEqual({ payloads: [plain, { ...plain, data: base64('"two"') }, plain] });
});

test("a page of the web UI is allowed, with its namespace; any other's is refused before its payloads are read", async () => {
  const asked = await fetch(`${server.url}/decode`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-namespace' },
  });
  expect(asked.status).toBe(204);
  expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
  expect(asked.headers.get('access-control-allow-headers')).toMatch(/content-type, x-namespace/i);
  const other = await post('/decode', { payloads: [plain] }, { origin: 'http://127.0.0.1:9999' });
  expect(other.status).toBe(403);
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
});

test('a foreign name that leads to this machine is refused', async () => {
  const status = await new Promise((resolve, reject) => {
    const asking = request(`${server.url}/decode`, { method: 'POST', headers: { host: 'evil.example' } }, (answer) =>
      resolve(answer.resume().statusCode),
    );
    asking.once('error', reject).end();
  });
  expect(status).toBe(403);
});

test('a key that is missing is named; a body of another shape is refused', async () => {
  const payload = { metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('old') }, data: base64('x'.repeat(40)) };
  const missing = await post('/decode', { payloads: [payload] });
  expect([missing.status, await missing.json()]).toEqual([400, { code: 'EncryptionKeyUnknown', message: expect.stringContaining('"old"') }]);
  expect((await post('/decode', [plain])).status).toBe(400);
});
