import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answerLine, answersKey, findAnswer, timedId } from '../../registry/answers.ts';
import { AnswerLog } from '../../serving/answer-log.ts';
import { startPredictionServer } from '../../serving/index.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';
import { byGenre, films } from './films.ts';
import { openShop } from './shop.ts';

const identity = { model: 'movies', segment: 'month=10', version: 3, digest: 'a'.repeat(64) };
const at = Date.parse('2026-11-24T23:59:58.500Z');

describe('a served answer', () => {
  let shop: Awaited<ReturnType<typeof openShop>>;
  let store: ObjectStore;
  beforeEach(async () => {
    shop = await openShop();
    store = await openStore(join(shop.folder, 'store'));
  });
  afterEach(() => shop.close());

  test('is found by its request id with the version that gave it, whether we or the caller made the id', async () => {
    await shop.release({ model: 'films', onnx: byGenre(films, 1), items: films });
    const server = await startPredictionServer({ ...shop, store });
    const ask = async (headers: Readonly<Record<string, string>>) => {
      const response = await fetch(`${server.url}/v1/models/films/recommend`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ liked: [] }),
      });
      return {
        header: response.headers.get('x-request-id'),
        body: (await response.json()) as { requestId: string; version: number; digest: string },
      };
    };
    try {
      while ((await fetch(`${server.url}/ready`)).status !== 200) await sleep(20);
      const ours = await ask({});
      const callers = await ask({ 'x-request-id': 'checkout-2026.11-0001' });
      const unfit = await ask({ 'x-request-id': 'no spaces or "quotes"' });
      expect(callers.header).toBe('checkout-2026.11-0001');
      expect(unfit.header).toMatch(/^[0-9a-f-]{36}$/);
      await server.close();
      for (const { header, body } of [ours, callers, unfit]) {
        expect(body.requestId).toBe(header);
        const { version, digest } = body;
        expect(await findAnswer(store, header!)).toMatchObject({
          id: header,
          model: 'films',
          segment: 'all',
          version,
          digest,
          endpoint: 'recommend',
        });
      }
    } finally {
      await server.close();
    }
  });
});

test('an answer is found by one listing and one read among ten thousand batches, also when it was written after midnight', async () => {
  const requests: string[] = [];
  const store = createStoreInMemory((what, key) => void requests.push(`${what} ${key}`));
  const id = timedId(at);
  const line = answerLine({ id, at: new Date(at).toISOString(), ...identity, endpoint: 'recommend' });
  for (let n = -5000; n < 5000; n++) {
    const first = at + n * 5000;
    const text = n === 0 ? line : '';
    store.objects.set(answersKey(first - 2500, first + 2500, 'server-1', text), Buffer.from(text));
  }
  requests.length = 0;
  expect(await findAnswer(store, id)).toMatchObject({ id, ...identity });
  expect(requests).toEqual([
    'list predictions/dt=2026-11-24/',
    'list predictions/dt=2026-11-25/',
    `read ${answersKey(at - 2500, at + 2500, 'server-1', line)}`,
  ]);
  await expect(findAnswer(store, timedId(at))).rejects.toMatchObject({ code: 'PredictionUnknown' });
  const place = answersKey(at - 2500, at + 2500, 'server-1', line);
  store.objects.set(place, Buffer.from(line.replace(/"version":\d+/, '"version":7')));
  await expect(findAnswer(store, id)).rejects.toMatchObject({ code: 'ArtifactCorrupt', message: expect.stringContaining(place) });
  const other = answerLine({ ...identity, id: 'request-9', at: new Date(at).toISOString(), endpoint: 'recommend' });
  await store.settle(answersKey(at, at, 'server-9', other), Buffer.from(other));
  expect(await findAnswer(store, 'request-9')).toMatchObject(identity);
});

describe('while the store is away', () => {
  test('answers wait, and are written once it is back', async () => {
    let away = true;
    const failures: unknown[] = [];
    const store = createStoreInMemory((what) => {
      if (away && what === 'settle') throw new Error('away');
    });
    const log = new AnswerLog(store, { dropped: () => {}, failed: (error) => failures.push(error) });
    log.record('request-1', identity, 'recommend', at);
    await log.flush();
    expect(failures).toHaveLength(1);
    away = false;
    log.record('request-2', identity, 'recommend', at + 1);
    await log.close();
    expect(await findAnswer(store, 'request-1')).toMatchObject(identity);
    expect(await findAnswer(store, 'request-2')).toMatchObject(identity);
  });

  test('memory is bounded: what no longer fits is dropped and counted, and what waited is not', async () => {
    let away = true;
    let dropped = 0;
    const store = createStoreInMemory((what) => {
      if (away && what === 'settle') throw new Error('away');
    });
    const log = new AnswerLog(store, { dropped: (count) => (dropped += count), failed: () => {} });
    const answers = 100_000;
    for (let n = 0; n < answers; n++) log.record(`request-${n}`, identity, 'recommend', at + n);
    await log.flush();
    away = false;
    await log.close();
    const kept = [...store.objects.values()].reduce((sum, body) => sum + body.toString().split('\n').length - 1, 0);
    expect(kept).toBe(16 * 4000);
    expect(dropped).toBe(answers - kept);
    expect(await keysOf(store, 'predictions/')).toHaveLength(16);
  });
});
