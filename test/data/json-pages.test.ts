import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Connection } from '../../core/connection.ts';
import type { SourceSpec } from '../../core/model-spec.ts';
import { defaultHttpLimits } from '../../data/sources/http.ts';
import { jsonElements } from '../../data/sources/json-elements.ts';
import { jsonPagesReader } from '../../data/sources/json-pages.ts';
import { secretReader } from '../../data/secret.ts';
import { startUserDataApi, type ApiRating, type UserDataApi, type UserDataApiOptions } from '../../simulation/user-data-api.ts';
import { contextOf, query, rejection, scratchFolder, shownBy } from './scratch.ts';
import { observeSource, snapshotSource } from './source.ts';

const token = 'a-secret-token';
const source: SourceSpec = {
  from: 'api:/v1/ratings',
  read: 'json-pages',
  key: ['userId', 'movieId'],
  time: 'ratedAt',
  columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' },
};
const ratings: readonly ApiRating[] = Array.from({ length: 95 }, (_, i) => ({
  userId: String(i % 7),
  movieId: String(i),
  rating: (i % 10) / 2 + 0.5,
  ratedAt: new Date(Date.UTC(2024, 0, 1) + i * 60_000).toISOString(),
}));

test.each([
  ['[]', []],
  ['{"next": null, "data": [ ]}', []],
  ['[1, [2, 3], {"a": [4]}, "x,]"]', ['1', '[2, 3]', '{"a": [4]}', '"x,]"']],
  ['{"data": [1], "other": {"data": [2]}, "list": [3], "data": [{"b":\n 4}]}', ['{"b": 4}']],
  ['{"x": "data", "y": [1], "data": ["\\\\", "\\""]}', ['"\\\\"', '"\\""']],
])('the elements of %s are taken as they are written', (text, elements) => {
  expect(jsonElements(text, 'data')).toEqual(elements);
  JSON.parse(text);
});

const reader = jsonPagesReader({ ...defaultHttpLimits, firstWaitMs: 1, attempts: 4 });
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function api(options: Partial<UserDataApiOptions> = {}): Promise<UserDataApi> {
  const server = await startUserDataApi({ ratings, token, pageSize: 10, ...options });
  open.push(server);
  return server;
}

const connectionTo = (url: string, changes: object = {}): Connection => ({
  kind: 'http',
  baseUrl: url,
  allowedHosts: [new URL(url).host],
  token: { env: 'API_TOKEN' },
  ...changes,
});

function request(url: string, changes: object = {}, resume = scratchFolder()) {
  return {
    name: 'ratings',
    source,
    connection: connectionTo(url, changes),
    path: '/v1/ratings',
    readSecret: secretReader({ API_TOKEN: token }),
    out: join(scratchFolder(), 'ratings.parquet'),
    resume,
  };
}

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A server of one handler, for what the real API never does. */
async function serve(handle: (path: string, headers: Record<string, unknown>) => Answer | Promise<Answer>) {
  const seen: string[] = [];
  const server: Server = createServer(async (incoming, response) => {
    seen.push(incoming.url!);
    const { status = 200, headers = {}, body = '' } = await handle(incoming.url!, incoming.headers);
    response.writeHead(status, { etag: '"one"', 'content-type': 'application/json', ...headers }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push({ close: () => new Promise((done) => (server.close(() => done()), server.closeAllConnections())) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe('an HTTP JSON API', () => {
  test('is read page by page into a snapshot', async () => {
    const server = await api();
    const input = request(server.url);
    const facts = await reader.snapshot(input, contextOf());
    expect(facts).toMatchObject({ rows: 95, timeFrom: '2024-01-01T00:00:00.000Z', timeTo: '2024-01-01T01:34:00.000Z' });
    expect(server.requests()).toBe(10);
    const [row] = await query(`SELECT * FROM '${input.out}' WHERE movieId = '42'`, input.out);
    expect(row).toEqual({ userId: '0', movieId: '42', rating: 1.5, ratedAt: '2024-01-01 00:42:00' });
  });

  test('is observed by its ETag, which changes with the data only', async () => {
    const server = await api();
    const input = {
      name: 'ratings',
      source,
      connections: { api: connectionTo(server.url) },
      readSecret: secretReader({ API_TOKEN: token }),
    };
    const [first, second] = [await observeSource(input, contextOf()), await observeSource(input, contextOf())];
    expect(first).toEqual(second);
    expect(server.requests()).toBe(0);
    const taken = { ...input, out: join(scratchFolder(), 'r.parquet'), resume: scratchFolder(), observed: first };
    expect((await snapshotSource(taken, contextOf())).rows).toBe(95);
    await server.replace(ratings.slice(1));
    expect((await observeSource(input, contextOf())).sha256).not.toBe(first.sha256);
    await rejection(snapshotSource({ ...taken, resume: scratchFolder() }, contextOf()), 'SourceChanged');
  });

  test('that moved is the same source, and one of the same ETag at another path or of another length is not', async () => {
    const observe = async (url: string, path = '/v1/ratings') => (await reader.observe({ ...request(url), path }, contextOf())).sha256;
    const [here, there] = [await api(), await api()];
    expect(await observe(there.url)).toBe(await observe(here.url));
    const answers = (rows: number) => serve(() => ({ headers: { 'content-length': String(rows) }, body: ' '.repeat(rows) }));
    const [one, other] = [await answers(10), await answers(20)];
    expect(await observe(other.url)).not.toBe(await observe(one.url));
    expect(await observe(one.url, '/v2/ratings')).not.toBe(await observe(one.url));
  });

  test('killed in mid-download goes on with the missing pages only, to the same bytes', async () => {
    const server = await api();
    const whole = request(server.url);
    await reader.snapshot(whole, contextOf());
    const before = server.requests();

    const resume = scratchFolder();
    const controller = new AbortController();
    let pages = 0;
    const stopAfterFour = contextOf({
      signal: controller.signal,
      heartbeat: (progress) => progress?.step === 'download' && ++pages === 4 && controller.abort(),
    });
    await rejection(reader.snapshot(request(server.url, {}, resume), stopAfterFour), 'Cancelled');
    expect(server.requests() - before).toBe(4);

    const rest = request(server.url, {}, resume);
    await reader.snapshot(rest, contextOf());
    expect(server.requests() - before).toBe(10);
    expect(readFileSync(rest.out).equals(readFileSync(whole.out))).toBe(true);
  });

  test('changed in mid-download is read anew', async () => {
    const server = await api();
    const resume = scratchFolder();
    const controller = new AbortController();
    let pages = 0;
    const stop = contextOf({
      signal: controller.signal,
      heartbeat: (progress) => progress?.step === 'download' && ++pages === 3 && controller.abort(),
    });
    await rejection(reader.snapshot(request(server.url, {}, resume), stop), 'Cancelled');
    await server.replace(ratings.slice(5));
    await rejection(reader.snapshot(request(server.url, {}, resume), contextOf()), 'SourceChanged');
    expect((await reader.snapshot(request(server.url, {}, resume), contextOf())).rows).toBe(90);
  });

  test('that stumbles is asked again: server errors, too many requests, cut connections', async () => {
    const server = await api({ faults: { status: { 1: 500, 3: 429, 4: 503 }, cut: [6, 8] } });
    expect((await reader.snapshot(request(server.url), contextOf())).rows).toBe(95);
    expect(server.requests()).toBe(15);
  });

  test('that asks for patience gets it, with signs of life', async () => {
    const server = await api({ faults: { status: { 1: 429 }, retryAfter: '1' } });
    const notes: string[] = [];
    const started = performance.now();
    await reader.snapshot(request(server.url), contextOf({ heartbeat: (progress) => progress?.note !== undefined && notes.push(progress.note) }));
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(notes[0]).toContain('it answered 429; try 2 in 1 s');
  });

  test('that is slow to answer leaves signs of life meanwhile', async () => {
    let beats = 0;
    let alive = () => {};
    const sign = new Promise<void>((resolve) => (alive = resolve));
    // It answers only once the reader was heard of.
    const server = await serve(async () => (await sign, { body: '{"data": []}' }));
    await reader.snapshot(request(server.url), contextOf({ heartbeat: () => (beats++, alive()) }));
    expect(beats).toBeGreaterThan(0);
  });

  test('that asks for patience until a date gets it', async () => {
    const server = await api({ faults: { status: { 1: 503 }, retryAfter: new Date(Date.now() + 2500).toUTCString() } });
    const started = performance.now();
    await reader.snapshot(request(server.url), contextOf());
    expect(performance.now() - started).toBeGreaterThan(1000);
  });

  test('that stays broken is unreachable, which may be retried later', async () => {
    const server = await api({ faults: { status: { 1: 500, 2: 500, 3: 500, 4: 500 } } });
    const error = await rejection(reader.snapshot(request(server.url), contextOf()), 'SourceUnreachable');
    expect(error.message).toContain('in 4 tries; the last time it answered 500');
    expect(error.retry).toBe(true);
    await rejection(reader.observe(request('http://127.0.0.1:9'), contextOf()), 'SourceUnreachable');
  });

  test('that answers with HTML is told by its type, and nothing of what it said is shown', async () => {
    const server = await api({ faults: { html: [3] } });
    const error = await rejection(reader.snapshot(request(server.url), contextOf()), 'SourceInvalid');
    expect(error.message).toContain('did not answer with JSON but with text/html');
    expect(shownBy(error)).not.toContain('Sign in');
  });

  test('whose pages do not end is noticed', async () => {
    const server = await api({ faults: { endless: true } });
    const resume = scratchFolder();
    const error = await rejection(reader.snapshot(request(server.url, {}, resume), contextOf()), 'SourceInvalid');
    expect(error.message).toContain('its pages do not end');
    // Repaired, with the same version.
    expect((await reader.snapshot(request((await api()).url, {}, resume), contextOf())).rows).toBe(95);
    let n = 0;
    const empty = await serve(() => ({ body: JSON.stringify({ data: [], next: String(n++) }) }));
    expect((await rejection(reader.snapshot(request(empty.url), contextOf()), 'SourceInvalid')).message).toContain('empty pages');
  });

  test.each([
    ['without rows', '{"items": []}', 'without a "data" array'],
    ['with rows that are not objects', '{"data": [1]}', 'rows that are not objects'],
    ['that is cut', '{"data": [{"a":', 'did not answer with JSON'],
    ['with a strange cursor', '{"data": [], "next": {}}', 'neither text nor a number'],
  ])('with an answer %s is refused', async (_, body, fault) => {
    const server = await serve(() => ({ body }));
    expect((await rejection(reader.snapshot(request(server.url), contextOf()), 'SourceInvalid')).message).toContain(fault);
  });

  test('without a version is refused, because a change could not be noticed', async () => {
    const server = await serve(() => ({ headers: { etag: '' }, body: '{"data": []}' }));
    await rejection(reader.observe(request(server.url), contextOf()), 'SourceInvalid');
  });

  test('may page by Link header', async () => {
    const server = await serve((path) =>
      path.endsWith('after=2')
        ? { body: JSON.stringify(ratings.slice(2, 4)) }
        : { headers: { link: '</v1/ratings?after=2>; rel="next"' }, body: JSON.stringify(ratings.slice(0, 2)) },
    );
    expect((await reader.snapshot(request(server.url), contextOf())).rows).toBe(4);
    expect(server.seen).toEqual(['/v1/ratings', '/v1/ratings?after=2']);
  });

  test('keeps keys as they are written, however large', async () => {
    const body =
      '{"data": [{"userId": 12345678901234567890,\n "movieId": "a \\"[,]\\\\", "rating": 1, "ratedAt": "2024-01-01"}], "meta": {"data": [1, 2]}, "next": null}';
    const input = request((await serve(() => ({ body }))).url);
    await reader.snapshot(input, contextOf());
    expect((await query(`SELECT userId, movieId FROM '${input.out}'`, input.out))[0]).toEqual({
      userId: '12345678901234567890',
      movieId: 'a "[,]\\',
    });
  });

  test('of no rows gives an empty snapshot', async () => {
    const server = await api({ ratings: [] });
    expect((await reader.snapshot(request(server.url), contextOf())).rows).toBe(0);
  });
});

describe('the token', () => {
  test('is required, and a wrong one is told apart from a broken server', async () => {
    const server = await api();
    const wrong = { ...request(server.url), readSecret: async () => 'wrong' };
    const error = await rejection(reader.snapshot(wrong, contextOf()), 'SourceRefused');
    expect(error.message).toContain('answered 401');
    expect(server.requests()).toBe(1);
  });

  test('that is missing is named by its place, never by its value', async () => {
    const server = await api();
    const missing = { ...request(server.url), readSecret: secretReader({}) };
    expect((await rejection(reader.snapshot(missing, contextOf()), 'SecretMissing')).message).toContain('API_TOKEN');
  });

  test('goes to allowed hosts only, also on redirects and next links', async () => {
    const stolen: unknown[] = [];
    const thief = await serve((_, headers) => (stolen.push(headers['authorization']), { body: '{"data": []}' }));
    const redirecting = await serve(() => ({ status: 302, headers: { location: `${thief.url}/v1/ratings` } }));
    const linking = await serve(() => ({ headers: { link: `<${thief.url}/v1/ratings>; rel="next"` }, body: '[]' }));
    for (const server of [redirecting, linking]) {
      expect((await rejection(reader.snapshot(request(server.url), contextOf()), 'HostRefused')).message).toContain(new URL(thief.url).host);
    }
    await rejection(reader.snapshot(request(thief.url, { allowedHosts: ['example.org'] }), contextOf()), 'HostRefused');
    expect(stolen).toEqual([]);
  });

  test('is in no error, fact or file', async () => {
    const server = await api({ faults: { html: [3] } });
    const input = request(server.url);
    const error = await rejection(reader.snapshot(input, contextOf()), 'SourceInvalid');
    const files = readdirSync(input.resume).map((name) => readFileSync(join(input.resume, name), 'utf8'));
    expect(files.length).toBeGreaterThan(3);
    expect([error.message, error.stack, JSON.stringify(error.facts), ...files].join('\n')).not.toContain(token);
  });

  test('may follow a redirect to an allowed host', async () => {
    const server = await api();
    const redirecting = await serve((path) => ({ status: 307, headers: { location: `${server.url}${path}` } }));
    const input = request(redirecting.url, { allowedHosts: ['127.0.0.1'] });
    expect((await reader.snapshot(input, contextOf())).rows).toBe(95);
  });
});
