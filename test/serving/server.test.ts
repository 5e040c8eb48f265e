import { chmod, writeFile } from 'node:fs/promises';
import { request as httpRequest, Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startPredictionServer, type PredictionServer } from '../../serving/index.ts';
import { byGenre, films, histories, rule } from './films.ts';
import { openShop, type Release, type Shop } from './shop.ts';

let shop: Shop;
let server: PredictionServer;

const learned = (strength: number, more: Partial<Release> = {}): Release => ({
  model: 'movie-recommender',
  onnx: byGenre(films, strength),
  items: films,
  histories,
  ...more,
});

beforeEach(async () => {
  shop = await openShop();
  server = await startPredictionServer({ ...shop, followEveryMs: 20, links: { run: ({ runId }) => `http://ui.test/${runId}` } });
});

afterEach(async () => {
  await server.close();
  await shop.close();
});

/** What the routes answer; each test reads what its route gives. */
interface Body {
  readonly digest: string;
  readonly version: number;
  readonly segment: string;
  readonly error: string;
  readonly items: readonly { readonly id: string }[];
  readonly users: readonly { readonly id: string }[];
  readonly favourites: readonly { readonly title: string }[];
  readonly slots: readonly { readonly version: number | null; readonly refused?: { readonly code: string } }[];
  readonly models: readonly {
    readonly segments: readonly { readonly serving: unknown; readonly champion: { readonly report: string; readonly run: unknown } }[];
  }[];
}

async function get(path: string): Promise<{ readonly status: number; readonly body: Body; readonly text: string; readonly headers: Headers }> {
  const response = await fetch(server.url + path);
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, text, body: (json ? JSON.parse(text) : {}) as Body };
}

async function ask(model: string, body: unknown): Promise<{ readonly status: number; readonly body: Body }> {
  const response = await fetch(`${server.url}/v1/models/${model}/recommend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

/** Waits for what must come; a test that never sees it fails by its own time limit. */
async function until<T>(look: () => Promise<T>, arrived: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (arrived(seen)) return seen;
    await sleep(20);
  }
}

const ready = () =>
  until(
    () => get('/ready'),
    ({ status }) => status === 200,
  );

test('a server that has just started says of no model that there is none, until it has read the whole registry', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await server.close();
  const heights = async () => held.then(() => shop.registry.heights());
  server = await startPredictionServer({ ...shop, registry: { ...shop.registry, heights }, followEveryMs: 20 });
  expect(await ask('movie-recommender', { liked: [] })).toMatchObject({ status: 503, body: { code: 'NotServing' } });
  release();
  while ((await ask('movie-recommender', { liked: [] })).status === 503) await sleep(20);
  expect(await ask('movie-recommender', { liked: [] })).toMatchObject({ status: 404, body: { code: 'ModelUnknown' } });
});

describe('a prediction server', () => {
  test('lives before there is a model, and says why it is not ready', async () => {
    expect((await get('/health')).body).toMatchObject({ live: true, following: true, slots: [] });
    expect(await get('/ready')).toMatchObject({ status: 503, body: { code: 'NotServing' } });
    expect(await ask('movie-recommender', { liked: [] })).toMatchObject({ status: 404, body: { code: 'ModelUnknown' } });
  });

  test('takes up a version that is promoted while it runs, and says in each answer which one answered', async () => {
    const { digest } = await shop.release(learned(1));
    await ready();
    expect((await get('/ready')).body).toEqual({ ready: true });
    const { status, body } = await ask('movie-recommender', { user: '7', count: 2 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ model: 'movie-recommender', segment: 'all', version: 1, digest, known: true, unknown: [] });
    expect(body.items).toHaveLength(2);
    expect(body.items[0]).toMatchObject({ rank: 1, id: '10', title: 'Alien (1979)' });
  });

  test('answers by segment, falls back to the champion of all rows, and says so', async () => {
    await shop.release(learned(1));
    await shop.release(learned(2, { segment: 'month=10' }));
    await until(
      () => ask('movie-recommender', { liked: ['4'], segment: 'month=10' }),
      ({ body }) => body.segment === 'month=10',
    );
    expect((await ask('movie-recommender', { liked: ['4'], segment: 'month=12' })).body).toMatchObject({
      segment: 'all',
      requestedSegment: 'month=12',
    });
  });

  test('swaps to the next version, and back to an older one that is promoted again', async () => {
    const first = await shop.release(learned(1));
    await ready();
    const second = await shop.release(learned(2));
    const answer = () => ask('movie-recommender', { liked: ['4'] });
    await until(answer, ({ body }) => body.digest === second.digest);
    await shop.release(learned(1));
    expect((await until(answer, ({ body }) => body.digest === first.digest)).body.version).toBe(1);
  });

  test('answers every request while versions take over from each other, each from a version that was promoted', async () => {
    const promoted = new Set([(await shop.release(learned(1))).digest]);
    await ready();
    const seen = new Map<string, number>();
    let going = true;
    const client = async () => {
      while (going) {
        const { status, body } = await ask('movie-recommender', { liked: ['4'] });
        const said = status === 200 ? body.digest : `${status} ${body.error}`;
        seen.set(said, (seen.get(said) ?? 0) + 1);
      }
    };
    const clients = Promise.all(Array.from({ length: 4 }, client));
    for (let strength = 2; strength <= 7; strength++) {
      const { digest } = await shop.release(learned(strength));
      promoted.add(digest);
      await until(
        async () => seen.has(digest),
        (served) => served,
      );
    }
    going = false;
    await clients;
    expect([...seen.keys()].filter((said) => !promoted.has(said))).toEqual([]);
    expect(seen.size).toBe(7);
  });

  test('stops serving a model whose champion is retired', async () => {
    const { version } = await shop.release(learned(1));
    await ready();
    await shop.registry.retire({ model: 'movie-recommender', segment: 'all' }, { version, reason: 'a test' }, { by: 'test', run: null });
    const { body } = await until(
      () => ask('movie-recommender', { liked: [] }),
      ({ status }) => status === 503,
    );
    expect(body).toMatchObject({ code: 'NotServing' });
  });

  test('keeps the old version when the new one does not reproduce its golden examples, and says why', async () => {
    const first = await shop.release(learned(1));
    await ready();
    await shop.release(learned(2, { goldenOf: byGenre(films, 3) }));
    const { body } = await until(
      () => get('/health'),
      (seen) => seen.body.slots[0]?.refused !== undefined,
    );
    expect(body.slots[0]).toMatchObject({ version: 1, digest: first.digest, refused: { version: 2, code: 'ParityBroken' } });
    expect((await ask('movie-recommender', { liked: [] })).body.digest).toBe(first.digest);
    expect((await get('/metrics')).text).toMatch(
      /perennial_refused_versions_total\{model="movie-recommender",segment="all",code="ParityBroken"\} [1-9]/,
    );
  });

  test('keeps the old version when a file of the new one was altered', async () => {
    const first = await shop.release(learned(1));
    await ready();
    const second = await shop.register(learned(2));
    const { sha256 } = second.manifest.files.find(({ role }) => role === 'model')!;
    const path = join(shop.folder, 'store', 'blobs', 'sha256', sha256.slice(0, 2), sha256);
    await chmod(path, 0o644);
    await writeFile(path, 'altered');
    await shop.promote({ model: 'movie-recommender', segment: 'all' }, second.version);
    const { body } = await until(
      () => get('/health'),
      (seen) => seen.body.slots[0]?.refused !== undefined,
    );
    expect(body.slots[0]).toMatchObject({ digest: first.digest, refused: { version: 2, code: 'ArtifactCorrupt' } });
    expect((await ask('movie-recommender', { liked: [] })).body.digest).toBe(first.digest);
  });

  test('refuses what it cannot read, with the reason and the catalogue’s code', async () => {
    await shop.release(learned(1));
    await ready();
    const refused = { status: 400, body: { code: 'RequestInvalid' } };
    expect(await ask('movie-recommender', {})).toMatchObject(refused);
    expect(await ask('movie-recommender', { liked: [], count: 101 })).toMatchObject(refused);
    expect(await ask('movie-recommender', { liked: [], colour: 'red' })).toMatchObject({
      ...refused,
      body: { error: expect.stringContaining('colour') },
    });
    expect(await ask('movie-recommender', '{ not json')).toMatchObject(refused);
    expect(await ask('movie-recommender', { liked: ['x'.repeat(150_000)] })).toMatchObject({ status: 413, body: { code: 'PayloadTooLarge' } });
    expect(await get('/nowhere')).toMatchObject({ status: 404, body: { error: expect.any(String) } });
  });

  test('lists models with what their champions showed, and serves their reports', async () => {
    const gain = { metric: 'ndcg@10', over: 'popularity', value: 0.02, low: 0.01, high: 0.03 };
    const { digest } = await shop.release(learned(1, { gains: [gain], metrics: { 'ndcg@10': 0.12 } }));
    await shop.release({ model: 'top-movies', onnx: rule(['9']), items: films });
    await until(
      () => get('/v1/models'),
      ({ body }) => body.models.length === 2 && body.models[1]!.segments[0]!.serving !== null,
    );
    const model = (await get('/v1/models')).body.models[0]!;
    expect(model).toMatchObject({
      model: 'movie-recommender',
      segments: [
        { segment: 'all', champion: { version: 1, digest, metrics: { 'ndcg@10': 0.12 }, gains: [gain], verdict: 'better' }, serving: { digest } },
      ],
    });
    const { report, run } = model.segments[0]!.champion;
    expect(run).toMatchObject({ workflowId: 'train/test/all', url: 'http://ui.test/0199-test' });
    const shown = await get(report);
    expect(shown.text).toContain('Report of movie-recommender');
    expect(shown.headers.get('content-security-policy')).toContain('sandbox');
    expect(await get('/reports/movie-recommender/all/9')).toMatchObject({ status: 404, body: { code: 'VersionUnknown' } });
  });

  test('finds films and users over all models, each once', async () => {
    await shop.release(learned(1));
    await shop.release({ model: 'top-movies', onnx: rule(['9']), items: films });
    await until(
      () => get('/health'),
      ({ body }) => body.slots.filter(({ version }) => version !== null).length === 2,
    );
    expect((await get('/v1/items?query=star')).body.items).toEqual([{ id: '12', title: 'Star Wars (1977)', categories: ['Action', 'Sci-Fi'] }]);
    expect((await get('/v1/users?query=')).body.users.map(({ id }) => id)).toEqual(['7', '42']);
    expect((await get('/v1/users/7')).body.favourites[0]).toMatchObject({ title: 'Halloween (1978)', value: 5 });
  });

  test('counts requests by the version that answered, and not by names that callers make up', async () => {
    await shop.release(learned(1));
    await ready();
    await ask('movie-recommender', { liked: [] });
    await ask('made-up', { liked: [] });
    const { text } = await until(
      () => get('/metrics'),
      (seen) => /perennial_requests_total\{model="movie/.test(seen.text),
    );
    expect(text).toMatch(/perennial_requests_total\{model="movie-recommender",segment="all",version="1",status="200"\} 1/);
    expect(text).toMatch(/perennial_active_version\{model="movie-recommender",segment="all"\} 1/);
    expect(text).toMatch(/perennial_requests_total\{model="",segment="",version="",status="404"\} 1/);
    expect(text).not.toContain('made-up');
  });

  test('says which port is taken, and what to do, before it looks for anything to serve', async () => {
    const port = Number(new URL(server.url).port);
    let looks = 0;
    const registry = { ...shop.registry, follow: () => ({ changes: async () => (looks++, []) }) };
    await expect(startPredictionServer({ ...shop, registry, port })).rejects.toMatchObject({
      code: 'PortTaken',
      message: expect.stringContaining(String(port)),
    });
    expect(looks).toBe(0);
  });

  test('closes though a client keeps its connection open', async () => {
    await shop.release(learned(1));
    await ready();
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      httpRequest(`${server.url}/health`, { agent }, (response) => response.resume().once('end', resolve))
        .once('error', reject)
        .end();
    });
    await server.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    agent.destroy();
  });

  test('serves the page with a policy that lets in nothing from outside', async () => {
    const { status, headers, text } = await get('/');
    expect(status).toBe(200);
    expect(text).toContain('Perennial');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await get('/page.js')).headers.get('content-type')).toContain('text/javascript');
  });
});
