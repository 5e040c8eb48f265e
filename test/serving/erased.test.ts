import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { erase } from '../../registry/erase.ts';
import { startPredictionServer, type PredictionServer } from '../../serving/server.ts';
import { openStore } from '../../stores/open-store.ts';
import { byGenre, films, histories } from './films.ts';
import { openShop, type Shop } from './shop.ts';

const place = { model: 'recommender', segment: 'all' };
const user = histories[0]!.user;

let shop: Shop;
let server: PredictionServer;
beforeEach(async () => {
  shop = await openShop();
  await shop.release({ ...place, onnx: byGenre(), items: films, histories });
  server = await startPredictionServer({ ...shop, followEveryMs: 20 });
});
afterEach(async () => {
  await server.close();
  await shop.close();
});

async function ask(): Promise<{ readonly status: number; readonly known?: boolean }> {
  const response = await fetch(`${server.url}/v1/models/recommender/recommend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, liked: [films[0]!.id] }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

async function firstAnswer(): Promise<object> {
  while ((await fetch(`${server.url}/ready`)).status !== 200) await sleep(20);
  const { status, known } = await ask();
  return { status, known };
}

/** The first answer that is another one than `before`: the server follows the registry. */
async function answerAfter(before: object): Promise<object> {
  for (;;) {
    const { status, known } = await ask();
    if (JSON.stringify({ status, known }) !== JSON.stringify(before)) return { status, known };
    await sleep(20);
  }
}
const withHistory = { status: 200, known: true };
const withoutHistory = { status: 200, known: false };

async function eraseHistory(retire: boolean): Promise<void> {
  const store = await openStore(join(shop.folder, 'store'));
  const { history } = (await shop.registry.state(place)).versions[0]!;
  await erase(store, shop.registry, { origins: [history!.sha256], retire, reason: 'request 17' }, { by: 'ada', run: null });
}

test('a server forgets the users of a version whose histories were erased, and goes on answering; so does one that starts later', async () => {
  expect(await firstAnswer()).toEqual(withHistory);
  await eraseHistory(false);
  expect(await answerAfter(withHistory)).toEqual(withoutHistory);
  await server.close();
  server = await startPredictionServer({ ...shop, followEveryMs: 20 });
  expect(await firstAnswer()).toEqual(withoutHistory);
});

test('a server answers no more by a version that was retired for an erasure', async () => {
  expect(await firstAnswer()).toEqual(withHistory);
  await eraseHistory(true);
  const { status } = (await answerAfter(withHistory)) as { readonly status: number };
  expect(status).toBe(503);
});
